// What man pages are written with: sections, items, paragraphs, and texts in which nothing is a request.

export function titled(title, lines) {
  return lines.length === 0 ? [] : [`.SH ${title}`, ...lines];
}

export function item(tag, text) {
  return ['.TP', tag, roff(text)];
}

export function paragraphs(texts) {
  return texts.flatMap((text, i) => (i === 0 ? [roff(text)] : ['.PP', roff(text)]));
}

/** Nothing of it is taken for roff: backslashes, hyphens (they are minus signs here), a dot or quote at the beginning. */
export function roff(text) {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('"', '\\(dq')
    .replaceAll('`', '\\(ga')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/^\./, '\\&.');
}
