/** Slack's incoming webhook: blocks for Slack, and the same as text for what takes its form without blocks. */

import type { Template } from '../../../config/notices/template.ts';
import type { SlackConfig } from '../../../config/section-notices.ts';
import type { Message } from '../event.ts';
import { cut, linesOf, type Origin, type Sender, titleOf } from '../text.ts';
import { HttpPost } from './http-post.ts';
import type { NoticeTarget } from './send.ts';

type PlainText = { readonly type: 'plain_text'; readonly text: string; readonly emoji: false };
type Block = { readonly type: 'header' | 'section'; readonly text: PlainText };
export type SlackBody = { readonly text: string; readonly blocks: readonly Block[] };

/** Slack's limits: characters of a header, and of a section; all blocks together may have some 13,000. */
const HEADER_MAX = 150;
const SECTION_MAX = 3000;
const SECTIONS_MAX = 4;
/** What Slack advises for a message's text. */
const TEXT_MAX = 4000;

export function slackBody(message: Message, template: Template, sender: Sender): SlackBody {
  const title = titleOf(message, template, sender);
  const lines = linesOf(message, template);
  return {
    text: cut([title, ...lines].map(escaped).join('\n'), TEXT_MAX),
    blocks: [
      { type: 'header', text: plain(cut(title, HEADER_MAX)) },
      ...sections(lines).map((text): Block => ({ type: 'section', text: plain(text) })),
    ],
  };
}

export function slackTarget(config: SlackConfig, origin: Origin): NoticeTarget {
  const http = new HttpPost(config);
  const sender = { ...origin, target: config.name };
  return {
    send: (message, signal) => http.post(JSON.stringify(slackBody(message, config.template, sender)), {}, signal),
    close: () => http.close(),
  };
}

function plain(text: string): PlainText {
  return { type: 'plain_text', text, emoji: false };
}

/** `text` is Slack's own markup, in which these three are special. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Whole lines, as many as fit; the last section says how many do not. */
function sections(lines: readonly string[]): readonly string[] {
  const made: string[] = [];
  let text = '';
  for (const [i, line] of lines.entries()) {
    const next = cut(line, SECTION_MAX / 2);
    if (text !== '' && text.length + next.length + 1 > SECTION_MAX - 40) {
      if (made.length === SECTIONS_MAX - 1) return [...made, `${text}\n… and ${lines.length - i} more lines`];
      made.push(text);
      text = '';
    }
    text = text === '' ? next : `${text}\n${next}`;
  }
  return text === '' ? made : [...made, text];
}
