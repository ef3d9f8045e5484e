/** The pages beside the status page: they show a moment, and are read again by whoever wants a newer one. */
import { type Content, type Html, html } from './html.ts';
import { moment } from './moment.ts';
import type { StaticFile } from './static-files.ts';

export type Document = {
  readonly title: string;
  readonly host: string;
  readonly now: number;
  readonly address: (file: StaticFile) => string;
  /** Links upwards, the status page first. */
  readonly path: readonly (readonly [href: string, text: string])[];
  readonly main: Content;
};

/** What all pages send along: own files only, nothing inline; nobody may frame it, or have its forms lead elsewhere. */
export const PAGE_HEADERS = {
  'content-security-policy':
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'referrer-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
};

export const HTML_TYPE = 'text/html; charset=utf-8';

export function document({ title, host, now, address, path, main }: Document): Html {
  const links = path.map(([href, text]) => html`<li><a href="${href}">${text}</a></li>`);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Edgewise</title>
<link rel="icon" href="${address('favicon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${address('edgewise.css')}">
</head>
<body>
<a class="skip" href="#main">Skip to the contents</a>
<header class="top">
<h1><a href="/">Edgewise</a> <span class="host">${host}</span></h1>
<p class="conn">as of ${moment(now, now)} UTC</p>
<nav aria-label="Where this is"><ul>${links}<li aria-current="page">${title}</li></ul></nav>
</header>
<main id="main" tabindex="-1">
${main}
</main>
</body>
</html>
`;
}
