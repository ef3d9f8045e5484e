import { describe, expect, test } from 'vitest';
import { truncateAnswer } from '../../../../src/server/transport/udp/truncate.ts';

const QUESTION = [3, 119, 119, 119, 4, 116, 101, 115, 116, 0, 0, 1, 0, 1];
const A = [0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1];
const NAMED = [1, 97, 0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1];
const SPELLED = [1, 97, 1, 98, 0, 0, 16, 0, 1, 0, 0, 1, 44, 0, 3, 2, 0, 41];
const OPT = [0, 0, 41, 4, 208, 0, 0, 128, 0, 0, 0];
const OPT_COOKIE = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

function header(answers: number, authorities: number, additionals: number, flags: number[], questions = 1): number[] {
  return [0xab, 0xcd, ...flags, 0, questions, 0, answers, 0, authorities, 0, additionals];
}

const AA = [0x85, 0];
const AA_TC = [0x87, 0];

describe('truncateAnswer', () => {
  test.each<{ name: string; answer: number[]; cut: number[] }>([
    {
      name: 'records go',
      answer: [...header(2, 1, 0, AA), ...QUESTION, ...A, ...A, ...NAMED],
      cut: [...header(0, 0, 0, AA_TC), ...QUESTION],
    },
    {
      name: 'the OPT stays',
      answer: [...header(1, 0, 1, AA), ...QUESTION, ...A, ...OPT],
      cut: [...header(0, 0, 1, AA_TC), ...QUESTION, ...OPT],
    },
    {
      name: 'with its options, after additional records and names of every form',
      answer: [...header(1, 1, 3, AA), ...QUESTION, ...A, ...NAMED, ...SPELLED, ...A, ...OPT_COOKIE],
      cut: [...header(0, 0, 1, AA_TC), ...QUESTION, ...OPT_COOKIE],
    },
    {
      name: 'an additional record that is no OPT goes',
      answer: [...header(0, 0, 1, AA), ...QUESTION, ...SPELLED],
      cut: [...header(0, 0, 0, AA_TC), ...QUESTION],
    },
    {
      name: 'nothing there but an OPT, flags kept',
      answer: [...header(0, 0, 1, [0x81, 5]), ...QUESTION, ...OPT],
      cut: [...header(0, 0, 1, [0x83, 5]), ...QUESTION, ...OPT],
    },
    {
      name: 'no question (FORMERR)',
      answer: header(0, 0, 0, [0x80, 1], 0),
      cut: header(0, 0, 0, [0x82, 1], 0),
    },
  ])('$name', ({ answer, cut }) => {
    const out = new Uint8Array(4096);
    out.set(answer);
    expect([...out.subarray(0, truncateAnswer(out, answer.length))]).toEqual(cut);
  });
});
