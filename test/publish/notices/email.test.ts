import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { EmailConfig } from '../../../src/config/section-notices.ts';
import { emailTarget } from '../../../src/publish/notices/targets/email.ts';
import type { Sent } from '../../../src/publish/notices/targets/send.ts';
import { Secret } from '../../../src/system/secret.ts';
import { makeCertificates } from '../../support/mock-edge-certificates.ts';
import { COMMON, edgeDown, firing, message } from './messages.ts';

const CERTIFICATE = makeCertificates('mail.test').selfSigned;

type Mode = 'takes' | 'refuses' | 'hangs' | 'no-starttls';

/** A mail server on loopback that knows as much of RFC 5321 as a client needs. */
class MailServer {
  readonly mails: string[] = [];
  readonly commands: string[] = [];
  isEncrypted = false;
  mode: Mode = 'takes';
  private readonly sockets = new Set<Socket>();
  private readonly server: Server = createServer((socket) => this.greet(socket));

  static async start(): Promise<MailServer> {
    const made = new MailServer();
    await new Promise<void>((resolve) => made.server.listen(0, '127.0.0.1', resolve));
    return made;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private greet(socket: Socket): void {
    this.sockets.add(socket);
    if (this.mode === 'hangs') return;
    socket.write('220 mail.test ESMTP\r\n');
    this.talk(socket);
  }

  private talk(socket: Socket): void {
    let text = '';
    let data: string | null = null;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (data !== null && line !== '.') data += `${line}\n`;
        else if (data !== null) {
          this.mails.push(data);
          data = null;
          socket.write('250 2.0.0 queued\r\n');
        } else {
          const answer = this.answer(line);
          socket.write(`${answer}\r\n`);
          if (answer.startsWith('354')) data = '';
          if (line === 'STARTTLS' && answer.startsWith('220')) {
            socket.removeAllListeners('data');
            const { key, cert } = CERTIFICATE;
            this.isEncrypted = true;
            this.talk(new TLSSocket(socket, { isServer: true, key, cert }));
            return;
          }
        }
      }
    });
  }

  private answer(line: string): string {
    this.commands.push(line);
    if (line.startsWith('EHLO')) {
      const starttls = this.isEncrypted || this.mode === 'no-starttls' ? '' : '250-STARTTLS\r\n';
      return `250-mail.test\r\n${starttls}250 AUTH PLAIN`;
    }
    if (line === 'STARTTLS') return this.mode === 'no-starttls' ? '502 no' : '220 go';
    if (line.startsWith('AUTH'))
      return line.endsWith(Buffer.from('\0edgewise\0pa55word').toString('base64'))
        ? '235 ok'
        : '535 5.7.8 pa55word is wrong';
    if (line.startsWith('RCPT') && this.mode === 'refuses') return '550 5.1.1 no such user';
    if (line === 'DATA') return '354 go on';
    if (line === 'QUIT') return '221 bye';
    return '250 ok';
  }
}

let mail: MailServer;

beforeEach(async () => {
  mail = await MailServer.start();
});
afterEach(() => mail.stop());

async function send(more: Partial<EmailConfig> = {}, vantage: string | null = null): Promise<Sent> {
  const target = emailTarget(
    {
      ...COMMON,
      to: 'email',
      server: { address: '127.0.0.1', port: mail.port },
      from: 'edgewise@example.test',
      recipients: ['duty@example.test', 'night@example.test'],
      encryption: 'none',
      verify: true,
      login: null,
      ...more,
    },
    { host: 'dns1', vantage },
  );
  const sent = await target.send(
    message([firing(edgeDown('edge1', 'it answers 500\nBcc: all@example.test'))]),
    AbortSignal.timeout(more.timeoutMs ?? 20_000),
  );
  await target.close();
  return sent;
}

test('a mail names the vantage that sends it, in its subject and at its end', async () => {
  expect(await send({}, 'fra1')).toEqual({ ok: true });
  const [text] = mail.mails;
  expect(text).toMatch(/^Subject: Edgewise on dns1 \(vantage fra1\): edge1/m);
  expect(text).toMatch(/^Edgewise on dns1 \(vantage fra1\), target /m);
});

test('a mail has subject, lines and recipients, and no header that a sentence brings along', async () => {
  expect(await send()).toEqual({ ok: true });
  const [text] = mail.mails;
  const head = text.slice(0, text.indexOf('\n\n'));
  expect(head).toMatch(/^From: edgewise@example\.test$/m);
  expect(head).toMatch(/^To: duty@example\.test, night@example\.test$/m);
  expect(head.replace(/\n\s+/g, ' ')).toMatch(
    /^Subject: Edgewise on dns1: edge1 of mynet is down: it answers 500 Bcc: all@example\.test$/m,
  );
  expect(head).toMatch(/^Auto-Submitted: auto-generated$/m);
  expect(head).not.toMatch(/^Bcc:/m);
  expect(text).toContain('firing: edge1 of mynet is down');
  expect(mail.commands.filter((line) => line.startsWith('RCPT'))).toEqual([
    'RCPT TO:<duty@example.test>',
    'RCPT TO:<night@example.test>',
  ]);
});

test('starttls with a login; the password is in no reason', async () => {
  const login = { user: 'edgewise', password: new Secret('pa55word') };
  expect(await send({ encryption: 'starttls', verify: false, login })).toEqual({ ok: true });
  expect(mail.isEncrypted).toBe(true);
});

test.each([
  ['takes', true],
  ['no-starttls', false],
] as const)('what is offered is used with whatever certificate, or not (%s)', async (mode, isEncrypted) => {
  mail.mode = mode;
  expect(await send({ encryption: 'offered' })).toEqual({ ok: true });
  expect(mail.isEncrypted).toBe(isEncrypted);
});

test.each<[string, Partial<EmailConfig>, Mode, RegExp]>([
  ['a certificate that nobody signed', { encryption: 'starttls' }, 'takes', /certificate/i],
  ['no starttls where it must be', { encryption: 'starttls' }, 'no-starttls', /STARTTLS|TLS/i],
  ['no such recipient', {}, 'refuses', /no such user/],
  ['a server that never greets', { timeoutMs: 300 }, 'hangs', /no answer within 0\.3 s|Greeting never received/],
  [
    'a wrong password',
    { encryption: 'starttls', verify: false, login: { user: 'edgewise', password: new Secret('pa55word!') } },
    'takes',
    /535/,
  ],
])('%s', async (_, more, mode, reason) => {
  mail.mode = mode;
  const sent = await send(more);
  expect(sent).toMatchObject({ ok: false, reason: expect.stringMatching(reason) });
  expect(JSON.stringify(sent)).not.toContain('pa55word!');
  expect(mail.mails).toEqual([]);
});
