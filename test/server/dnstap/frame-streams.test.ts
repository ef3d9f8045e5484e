import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONTENT_TYPE, CONTROL, ControlReader, controlFrame } from '../../../src/server/dnstap/frame-streams.ts';

const frame = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('controlFrame', () => {
  test('START names the content type', () => {
    const name = Buffer.from('protobuf:dnstap.Dnstap').toString('hex');
    expect(controlFrame(CONTROL.start)).toEqual(frame(`00000000 00000022 00000002 00000001 00000016 ${name}`));
  });

  test('STOP has no field', () => {
    expect(controlFrame(CONTROL.stop)).toEqual(frame('00000000 00000004 00000003'));
  });
});

describe('ControlReader', () => {
  test('reads its own frames in any segmentation', () => {
    const types = fc.array(fc.constantFrom(...Object.values(CONTROL)), { maxLength: 6 });
    fc.assert(
      fc.property(types, fc.array(fc.nat(60)), (types, cuts) => {
        const stream = Buffer.concat(types.map((type) => controlFrame(type)));
        const reader = new ControlReader();
        const found = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          found.push(...reader.read(stream.subarray(at, at + cut)));
          at += cut;
        }
        const contentOf = (type: number) => (type === CONTROL.stop || type === CONTROL.finish ? [] : [CONTENT_TYPE]);
        expect(found).toEqual(types.map((type) => ({ type, contentTypes: contentOf(type) })));
      }),
    );
  });

  test('says what is wrong, once, and reads no more', () => {
    for (const [sent, error] of [
      ['48545450', 'what it sent is no control frame of Frame Streams'],
      ['0001', 'what it sent is no control frame of Frame Streams'],
      ['00000000 00000000', 'it sent a control frame of 0 octets'],
      ['00000000 00000003', 'it sent a control frame of 3 octets'],
      ['00000000 00000201', 'it sent a control frame of 513 octets'],
      ['00000000 ffffffff', 'it sent a control frame of 4294967295 octets'],
      ['00000000 00000004 00000000', 'it sent a control frame of the unknown type 0'],
      ['00000000 00000004 00000006', 'it sent a control frame of the unknown type 6'],
      ['00000000 00000008 00000001 00000001', 'its ACCEPT frame ends within a field'],
      ['00000000 0000000c 00000001 00000001 00000001', 'its ACCEPT frame ends within a field'],
      ['00000000 0000000c 00000001 00000001 ffffffff', 'its ACCEPT frame ends within a field'],
    ] as const) {
      const reader = new ControlReader();
      expect([sent, reader.read(frame(sent))]).toEqual([sent, [{ error }]]);
      expect(reader.read(controlFrame(CONTROL.accept))).toEqual([]);
    }
  });

  test('takes what is good before what is not, passes over unknown fields and never throws', () => {
    const unknown = frame('00000000 0000000d 00000001 00000009 00000001 ff');
    expect(new ControlReader().read(Buffer.concat([unknown, frame('ff')]))).toEqual([
      { type: CONTROL.accept, contentTypes: [] },
      { error: 'what it sent is no control frame of Frame Streams' },
    ]);
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
        const reader = new ControlReader();
        const errors = chunks.flatMap((chunk) => reader.read(chunk)).filter((control) => 'error' in control);
        expect(errors.length).toBeLessThan(2);
      }),
    );
  });
});
