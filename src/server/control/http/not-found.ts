/** What a person with a browser gets for a path that leads nowhere: a page with the way back, instead of JSON. */
import { html } from '../page/html.ts';
import type { Reply, Request } from './operation.ts';
import { problemSchema } from './problem.ts';

/** The same problem as a page where the request accepts HTML; `reply` itself where it does not. */
export function notFoundFor(request: Request, reply: Reply): Reply {
  const isProblem = reply.type.startsWith('application/problem+json');
  if (!isProblem || !/\btext\/html\b/i.test(request.header('accept') ?? '')) return reply;
  const { success, data } = problemSchema.safeParse(JSON.parse(String(reply.body)));
  if (!success) return reply;
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${data.title} · Edgewise</title>
</head>
<body>
<main>
<h1>${data.title}</h1>
<p>There is nothing here: ${data.detail}.</p>
<p><a href="/">Back to the status page</a></p>
</main>
</body>
</html>
`;
  return { status: 404, type: 'text/html; charset=utf-8', body: text, headers: { ...reply.headers, vary: 'accept' } };
}
