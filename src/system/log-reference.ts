/** docs/logs.md, made of the catalogue of events. */
import { LOG_EVENTS, LOG_FIELDS } from './log-events.ts';

const INTRODUCTION = `<!-- Made by \`npm run docs\` from src/system/log-events.ts and log-reference.ts. -->
# Logs

\`edgewise serve\` writes a line an event, to \`logpath\`, or to standard error. Each line has a level, a sentence for people, and an
\`event\`: its name, which stays as it is, while sentences may become better. What is known of an event is in fields, which are called
alike everywhere. Lines of the levels below \`log_level\` are left out; \`-v\` has everything, on standard error.

## Forms

| where it goes | form |
|---|---|
| a file or a pipe | JSON, an object a line: \`level\`, \`time\`, \`pid\`, \`event\`, the fields, \`msg\` (the sentence) |
| a terminal | text: time of day, level, sentence, fields; colours unless \`NO_COLOR\` is set |
| the journal of systemd | text with the priority before each line (\`<4>\`), so that \`journalctl -p warning\` selects by level |

\`--log-format json|text|journald\` chooses another. The journal is known by \`JOURNAL_STREAM\`, which systemd sets.

\`\`\`json
{"level":"warn","time":"2026-11-29T17:05:12.034Z","pid":7,"event":"live_set.held","live":["a"],"wanted":4,"network":"mynet","msg":"…"}
\`\`\`

\`\`\`text
17:05:12 WARN  mynet: live set held as it is by the rotation limit  event=live_set.held live=a wanted=4 network=mynet
\`\`\`

A sentence of several lines, such as a fault with the line it is in, is one event: in text its further lines are indented. Control
characters in what others wrote are replaced by U+FFFD there, so that nothing can pass for a line of its own. Programs should read
the JSON.

\`edge_manage\` (\`edgewise run\`) and \`goavail monitor\` write lines as their originals' readers know them, without fields; with
\`--log-format\` they have the same events and fields in the forms above.

SIGHUP opens \`logpath\` again, for rotation. Lines that find no room (a full disk, a reader that is slow) wait in one MiB of memory;
what does not fit is dropped, and \`/healthz\` says that lines of a file are held back.
`;

/** The whole document. */
export function logReference(): string {
  const events = Object.entries(LOG_EVENTS).map(([event, { levels, fields, about }]) => {
    const names = fields.map((field) => `\`${field}\``).join(' ');
    return `| \`${event}\` | ${levels.join(', ')} | ${about} | ${names} |`;
  });
  const fields = Object.entries(LOG_FIELDS).map(([field, { type, about }]) => `| \`${field}\` | ${type} | ${about} |`);
  return [
    INTRODUCTION,
    '## Events\n',
    ['| event | level | what happened | fields that it may have |', '|---|---|---|---|', ...events].join('\n'),
    '\n## Fields\n',
    ['| field | type | what it is |', '|---|---|---|', ...fields].join('\n'),
    '',
  ].join('\n');
}
