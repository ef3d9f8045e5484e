/** Signing in and out with a browser: a form, without a script. */
import { z } from 'zod';
import { type AccessControl, seeOther } from '../http/access.ts';
import { type AnyOperation, operation, type Reply } from '../http/operation.ts';
import { problem } from '../http/problem.ts';
import { document, HTML_TYPE } from './document.ts';
import { html } from './html.ts';

/** Narrower than that of the other pages: whoever sees it is a stranger, and it has no script. */
const POLICY =
  "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const PATH_MAX = 1000;

const query = z.object({ to: z.string().max(PATH_MAX).optional() });
const body = z.object({ token: z.string().trim().min(1).max(256), to: z.string().max(PATH_MAX).default('/') });
const page = { description: 'The form', type: 'text/html' };
const sent = { 303: { description: 'Back to the page', type: 'text/plain' } };

export function loginOperations(access: AccessControl): readonly AnyOperation[] {
  const none = problem(404, 'nobody can sign in here: the configuration has no http.admin.tokens or http.read');
  return [
    operation({
      method: 'GET',
      path: '/login',
      summary: 'A form to sign in with',
      tag: null,
      access: 'open',
      query,
      answers: { 200: page },
      handle: (_, { query: { to } }) => (access.hasTokens ? form(200, localPath(to), '') : none),
    }),
    operation({
      method: 'POST',
      path: '/login',
      summary: 'Sign in',
      tag: null,
      access: 'open',
      body: { schema: body, form: true },
      answers: { ...sent, 403: page },
      handle: async (_, { body: { token, to }, request }) => {
        if (!access.hasTokens) return none;
        const foreign = access.foreignForm(request);
        if (foreign !== null) return foreign;
        const cookie = await access.signIn(token, request);
        if (cookie === null) return form(403, localPath(to), 'This token is not known here.');
        return seeOther(localPath(to), { 'set-cookie': cookie });
      },
    }),
    operation({
      method: 'POST',
      path: '/logout',
      summary: 'Sign out',
      tag: null,
      access: 'open',
      answers: sent,
      handle: (_, { request }) =>
        access.foreignForm(request) ?? seeOther('/login', { 'set-cookie': access.signOut(request) }),
    }),
  ];
}

/** A path of this server; whatever a browser could take for another server's address is `/`. */
export function localPath(to = '/'): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(to) && !to.includes('\\') ? to : '/';
}

function form(status: number, to: string, fault: string): Reply {
  const said = fault === '' ? null : html`<p role="alert" id="fault" class="said fault">${fault}</p>\n`;
  const described = fault === '' ? null : html` aria-describedby="fault" aria-invalid="true"`;
  const page = document({
    title: 'Sign in',
    address: (file) => `/static/current/${file}`,
    host: null,
    main: html`<section class="small sign-in">
<h2>Sign in</h2>
${said}<form class="act" method="post" action="/login">
<input type="hidden" name="to" value="${to}">
<p><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${described}></p>
<p><button type="submit" class="main">Sign in</button></p>
</form>
</section>`,
  });
  return { status, type: HTML_TYPE, headers: { 'content-security-policy': POLICY }, body: page.text };
}
