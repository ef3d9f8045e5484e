/** The HTML document that every page is: head, title bar, contents. */
import { type Content, type Html, html } from './html.ts';
import { moment } from './moment.ts';
import type { StaticFile } from './static-files.ts';

export type Document = {
  readonly title: string;
  readonly address: (file: StaticFile) => string;
  /** The machine's name, or that of its vantage point; null: strangers see the page, too. */
  readonly host: string | null;
  /** In the title bar, after the name. */
  readonly header?: Content;
  readonly main: Content;
  /** After the contents. */
  readonly footer?: Content;
  /** Left out: the page has no script. */
  readonly script?: {
    readonly now: number;
    /** `PageChanges.page`: a server of another version says another one. */
    readonly version: string;
    /** The section of the status page whose changes the page is fetched again for; null: its own sections. */
    readonly follows: string | null;
  };
};

/** What all pages send along: own files only, nothing inline; nobody may frame it, or have its forms lead elsewhere. */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

export const HTML_TYPE = 'text/html; charset=utf-8';

export function document({ title, address, host, header, main, footer, script }: Document): Html {
  const data =
    script === undefined
      ? null
      : html` data-now="${script.now}" data-page="${script.version}"${script.follows === null ? null : html` data-follows="${script.follows}"`}`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Edgewise</title>
<link rel="icon" href="${address('favicon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${address('edgewise.css')}">
${script === undefined ? null : html`<script type="module" src="${address('edgewise.js')}"></script>\n`}</head>
<body${data}>
<a class="skip" href="#main">Skip to the contents</a>
<header class="top">
<h1><a href="/">Edgewise</a>${host === null ? null : html` <span class="host">${host}</span>`}</h1>
${header}
</header>
<main id="main" tabindex="-1">
${main}
</main>
${footer}
${
  script === undefined
    ? null
    : html`<p id="banner" class="banner" role="alert" hidden></p>
<div id="announce" class="visually-hidden" aria-live="polite"></div>\n`
}</body>
</html>
`;
}

/** How old the page is; its script shows the connection there. */
export function connectionLine(now: number): Html {
  return html`<p class="conn" id="connection"><span class="word">as of</span> ${moment(now, now)}</p>`;
}

export const WITHOUT_SCRIPT = html`<noscript><p class="note">Without JavaScript this page stays as it is; times are UTC. <a href="">Load it again</a></p></noscript>`;

/** Where the results of forms are shown without leaving the page; for pages with a script. */
export const FORM_DIALOG = html`<dialog id="change" aria-labelledby="change-title" aria-label="What came of it"><div class="form"></div><p class="said" role="status"></p><form method="dialog"><button>Close</button></form></dialog>`;

/** Links upwards, the status page first, and the page itself. */
export function pathLine(path: readonly (readonly [href: string, text: string])[], title: string): Html {
  const links = path.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`);
  return html`<nav aria-label="Where this is"><ul>${links}<li aria-current="page">${title}</li></ul></nav>`;
}
