import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html } from '../../../../src/server/control/page/html.ts';

test.each([
  ['text', html`<p>${'a < b & "c"'}</p>`, '<p>a &lt; b &amp; &quot;c&quot;</p>'],
  ['an attribute', html`<p title="${`it's "x" > y`}">`, '<p title="it&#39;s &quot;x&quot; &gt; y">'],
  ['markup in markup', html`<ul>${html`<li>${'<'}</li>`}</ul>`, '<ul><li>&lt;</li></ul>'],
  ['a list', html`${['<', html`<b>`, 3]}`, '&lt;<b>3'],
  ['nothing', html`a${null}${undefined}${false}${[]}b`, 'ab'],
  ['zero', html`${0}`, '0'],
  ['a control character', html`${'a\u0000b\u001bc'}`, 'a\ufffdb\ufffdc'],
  ['a change of direction', html`${'a\u202eb\u2066c'}`, 'a\ufffdb\ufffdc'],
  ['lines', html`${'a\n\tb'}`, 'a\n\tb'],
])('%s', (_, made, text) => {
  expect(made.text).toBe(text);
});

test('whatever is put in is no markup', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const { text: made } = html`<p title="${text}">${text}</p>`;
      const [attribute, contents] = made.slice('<p title="'.length, -'</p>'.length).split('">');
      for (const part of [attribute, contents]) {
        expect(part).not.toMatch(/[<>"']/);
        expect(part.replace(/&(amp|lt|gt|quot|#39);/g, '')).not.toContain('&');
      }
    }),
  );
});
