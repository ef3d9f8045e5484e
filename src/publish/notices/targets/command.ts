/** A program of the operator's, without a shell: the message as JSON on its standard input, the gist in its environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { CommandConfig } from '../../../config/section-notices.ts';
import { errorText } from '../../../system/error-text.ts';
import { signalGroup } from '../../../system/process-group.ts';
import { cut, type Origin } from '../text.ts';
import { type NoticeTarget, notSent, type Sent } from './send.ts';
import { bodyOf, type NoticeBody } from './webhook.ts';

/** What a program gets of our own environment, which may hold secrets. */
const PASSED_ON = ['PATH', 'HOME', 'LANG', 'TZ'];
/** Characters; the system takes 128 KiB a variable. */
const TEXT_MAX = 16_000;
/** Characters of standard error that a reason repeats. */
const SHOWN_MAX = 200;
/** Between the request to end and the end itself. */
const GRACE_MS = 500;

export function commandTarget(config: CommandConfig, origin: Origin): NoticeTarget {
  const sender = { ...origin, target: config.name };
  return {
    send: (message, signal) => run(config, bodyOf(message, config.template, sender), signal),
    close: async () => undefined,
  };
}

function environment(body: NoticeBody): NodeJS.ProcessEnv {
  const passedOn = PASSED_ON.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  const isFiring = body.events.some(({ status }) => status === 'firing');
  return {
    ...Object.fromEntries(passedOn),
    EDGEWISE_TARGET: body.target,
    EDGEWISE_HOST: body.host,
    ...(body.vantage === undefined ? {} : { EDGEWISE_VANTAGE: body.vantage }),
    EDGEWISE_STATUS: isFiring ? 'firing' : 'resolved',
    EDGEWISE_EVENTS: String(body.events.length),
    EDGEWISE_TITLE: cut(withoutNul(body.title), TEXT_MAX),
    EDGEWISE_TEXT: cut(withoutNul(body.text), TEXT_MAX),
  };
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', ' ');
}

/** Its process group ends with it, and with the signal. */
function run({ program, args }: CommandConfig, body: NoticeBody, signal: AbortSignal): Promise<Sent> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'], detached: true, env: environment(body) });
    } catch (error) {
      resolve(notSent(errorText(error)));
      return;
    }
    let said = '';
    const stop = (): void => {
      signalGroup(child.pid, 'SIGTERM');
      setTimeout(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS).unref();
    };
    const end = (sent: Sent): void => {
      signal.removeEventListener('abort', aborted);
      resolve(sent);
    };
    const aborted = (): void => {
      stop();
      end(notSent(`${program} did not end in time and is ended`));
    };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < SHOWN_MAX) said += text;
    });
    child.stderr?.on('error', () => undefined);
    // A program need not read what it is given.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => end(notSent(errorText(error))));
    child.once('exit', (code, by) => {
      signalGroup(child.pid, 'SIGKILL');
      if (code === 0) end({ ok: true });
      else end(notSent(`${program} ended ${how(code, by)}${shown(said)}`));
    });
    if (signal.aborted) aborted();
    else signal.addEventListener('abort', aborted);
    child.stdin?.end(`${JSON.stringify(body)}\n`);
  });
}

function how(code: number | null, by: NodeJS.Signals | null): string {
  return code === null ? `by ${by}` : `with exit status ${code}`;
}

function shown(said: string): string {
  const text = cut(said.replace(/\s+/g, ' ').trim(), SHOWN_MAX);
  return text === '' ? '' : `: ${text}`;
}
