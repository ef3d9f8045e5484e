// @ts-check
/**
 * Keeps the status page current. The server renders everything, filter and order included; this puts newer sections in
 * the place of older ones without losing focus, selection or what is unfolded, and tells ages instead of times.
 */

const root = document.documentElement;
root.classList.add('scripted');

/** The server's clock less ours, milliseconds. */
let clockOffset = Number(document.body.dataset.now) * 1000 - Date.now();
const AGES_MS = 5000;
const TYPING_MS = 150;
/** The server says something at least every 10 s; after so long without a word the connection is dead, silently. */
const SILENCE_MS = 30_000;
/** A page that nobody sees gives its connection back after so long. */
const HIDDEN_MS = 60_000;

// --- Ages ------------------------------------------------------------------------------------------------------------

/** @param {number} seconds */
function span(seconds) {
  if (seconds < 100) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** @param {ParentNode} within */
function tellAges(within = document) {
  const now = Date.now() + clockOffset;
  for (const time of within.querySelectorAll('time[data-age]')) {
    const seconds = Math.round((now - Date.parse(time.getAttribute('datetime') ?? '')) / 1000);
    const text = seconds >= 0 ? `${span(seconds)} ago` : `in ${span(-seconds)}`;
    if (time.textContent !== text) time.textContent = text;
  }
}

// --- Replacing what changed ------------------------------------------------------------------------------------------

/** @param {HTMLElement} element */
const keyOf = ({ id, dataset, ariaLabel, role }) => id || dataset.section || (role === 'region' && ariaLabel) || '';

/** Whether one may become the other. @param {Node | null} old @param {Element} fresh */
function isAlike(old, fresh) {
  if (!(old instanceof HTMLElement) || old.localName !== fresh.localName || keyOf(old) !== '') return false;
  return old.localName !== 'div' || old.className === fresh.className;
}

/**
 * Makes `old` what `fresh` is, keeping the elements themselves, and with them focus, scroll positions and selections.
 * @param {Element} old @param {Element} fresh
 */
function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.localName === 'time' && old.getAttribute('datetime') === fresh.getAttribute('datetime')) return;
  // What a person is filling in stays.
  if (old.localName === 'form' && old.contains(document.activeElement)) return;
  for (const { name } of [...old.attributes]) {
    const isOurs = name === 'open' || (name === 'class' && old.localName === 'tr');
    if (!fresh.hasAttribute(name) && !isOurs) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== 'open' && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  morphChildren(old, fresh);
}

/** @param {Element} old @param {Element} fresh */
function morphChildren(old, fresh) {
  /** @type {Map<string, Element>} */
  const keyed = new Map();
  for (const child of old.children) {
    if (child instanceof HTMLElement && keyOf(child) !== '') keyed.set(keyOf(child), child);
  }
  /** @type {ChildNode | null} */
  let at = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    if (!(child instanceof Element)) {
      if (at !== null && at.nodeType === child.nodeType) {
        if (at.nodeValue !== child.nodeValue) at.nodeValue = child.nodeValue;
        at = at.nextSibling;
      } else old.insertBefore(child, at);
      continue;
    }
    const key = child instanceof HTMLElement ? keyOf(child) : '';
    const known = keyed.get(key);
    if (key !== '' && known !== undefined) {
      // What is moved loses scroll positions: what is before it and has no name goes instead.
      while (at !== null && at !== known && !(at instanceof HTMLElement && keyed.has(keyOf(at)))) {
        const next = at.nextSibling;
        at.remove();
        at = next;
      }
      if (known === at) at = at.nextSibling;
      else old.insertBefore(known, at);
      morph(known, child);
      keyed.delete(key);
    } else if (key === '' && at instanceof Element && isAlike(at, child)) {
      const next = at.nextSibling;
      morph(at, child);
      at = next;
    } else old.insertBefore(child, at);
  }
  while (at !== null) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/** What changed of what matters is said to screen readers, and shown for a moment. @param {Element} section */
function flipsOf(section) {
  return new Map([...section.querySelectorAll('[data-flip]')].map((each) => [each.id, each.getAttribute('data-flip')]));
}

/** @param {Element} old @param {Element} fresh @param {boolean} isNews */
function replace(old, fresh, isNews) {
  const before = flipsOf(old);
  const focused = document.activeElement;
  morph(old, fresh);
  tellAges(old);
  // A row that moved lost it.
  if (focused instanceof HTMLElement && focused.isConnected && focused !== document.activeElement) {
    focused.focus({ preventScroll: true });
  }
  if (!isNews) return;
  const said = [];
  for (const [id, flip] of flipsOf(old)) {
    if (!before.has(id) || before.get(id) === flip) continue;
    said.push(flip);
    const row = document.getElementById(id);
    row?.classList.remove('new');
    void row?.clientWidth; // so that the animation begins again
    row?.classList.add('new');
  }
  const announce = document.getElementById('announce');
  if (said.length > 0 && announce !== null) {
    const most = said.slice(0, 5).join('. ');
    announce.textContent = said.length > 5 ? `${most}. And ${said.length - 5} more changes.` : `${most}.`;
  }
}

/** @param {string} text */
const parsed = (text) => new DOMParser().parseFromString(text, 'text/html');

/** Sections that are being fetched, and whether to do it once more after that. @type {Map<string, boolean>} */
const fetching = new Map();

/** @param {string} key @param {boolean} isNews */
async function refresh(key, isNews) {
  if (fetching.has(key)) {
    fetching.set(key, true);
    return;
  }
  fetching.set(key, false);
  try {
    const path = key.split('/').map(encodeURIComponent).join('/');
    const search = location.search;
    const response = await fetch(`/fragments/${path}${search}`);
    if (response.status === 401) location.reload(); // the session ended
    if (!response.ok) return;
    const fresh = parsed(await response.text()).querySelector('section');
    const old = sectionOf(key);
    // Somebody typed meanwhile: what came is for another filter.
    if (search !== location.search) fetching.set(key, true);
    else if (old !== null && fresh !== null) replace(old, fresh, isNews);
  } catch {
    // The connection says so by itself, and when it is back, which versions are the newest.
  } finally {
    const isAgain = fetching.get(key) === true;
    fetching.delete(key);
    if (isAgain) await refresh(key, isNews);
  }
}

/** @param {string} key */
const sectionOf = (key) => sections().find((each) => each.dataset.section === key) ?? null;
const sections = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll('section[data-section]')]);

/** The whole page anew, in place: networks came or went, or it is a page without sections of its own. */
async function refreshAll() {
  try {
    const response = await fetch(location.pathname + location.search, { headers: { accept: 'text/html' } });
    // The session ended, or what the page is about is gone.
    if (response.redirected || response.status === 401 || response.status === 404) location.reload();
    if (!response.ok) return;
    const fresh = parsed(await response.text());
    for (const selector of ['.top nav', 'main']) {
      const [old, next] = [document.querySelector(selector), fresh.querySelector(selector)];
      if (old !== null && next !== null) replace(old, next, true);
    }
  } catch {
    // As with a section.
  }
}

// --- Server-sent events ----------------------------------------------------------------------------------------------

const connection = document.getElementById('connection');

const banner = document.getElementById('banner');

/** What no one must overlook, wherever the page is scrolled to. Null: nothing. @param {string | null} text */
function showBanner(text, kind = '') {
  if (banner === null) return;
  banner.className = `banner ${kind}`;
  banner.hidden = text === null;
  banner.replaceChildren(text ?? '');
}

/** @param {string} server */
function showOtherVersion(server) {
  const version = server.split(' ', 1)[0];
  showBanner(`The server was restarted with other files of this page (Edgewise ${version}). `, 'other');
  const again = document.createElement('a');
  again.href = location.href;
  again.textContent = 'Load the page again';
  again.addEventListener('click', () => location.reload());
  banner?.append(again);
}

/** @param {'live' | 'lost'} state */
function showConnection(state) {
  if (connection === null || connection.classList.contains(state)) return;
  connection.className = `conn ${state}`;
  const word = connection.querySelector('.word');
  const time = connection.querySelector('time');
  if (word !== null) word.textContent = state === 'live' ? 'live' : 'reconnecting since';
  if (state === 'live') showBanner(null);
  else {
    const at = new Date(heardAt + clockOffset).toISOString().slice(11, 19);
    showBanner(`No connection to the server: this page is as of ${at} UTC, and may be wrong by now.`);
  }
  if (time === null) return;
  time.hidden = state === 'live';
  time.setAttribute('datetime', new Date(Date.now() + clockOffset).toISOString());
  tellAges(connection);
}

/** The section of the status page whose changes are those of this page, too. */
const { follows } = document.body.dataset;
/** Its version that this page shows. @type {string | null} */
let followed = null;

/** When the server said something last, by our clock. */
let heardAt = Date.now();
/** The newest versions that it named. @type {Map<string, string>} */
const newest = new Map();

/** @param {number} now The server's clock, seconds. */
function onWord(now) {
  heardAt = Date.now();
  clockOffset = now * 1000 - heardAt;
  showConnection('live');
}

/** Whatever could not be fetched when it changed is fetched now. @param {MessageEvent<string>} event */
function onBeat({ data }) {
  onWord(JSON.parse(data).now);
  for (const [key, version] of newest) {
    const section = sectionOf(key);
    if (section !== null && section.dataset.version !== version) void refresh(key, true);
  }
}

/** @param {MessageEvent<string>} event */
function onVersions({ type, data }) {
  const { now, page, sections: versions } = JSON.parse(data);
  onWord(now);
  if (page !== undefined && page !== document.body.dataset.page) showOtherVersion(page);
  if (type === 'hello') newest.clear();
  if (follows !== undefined) {
    const version = versions[follows];
    // Of the first one is the page itself.
    if (version !== undefined && followed !== null && version !== followed) void refreshAll();
    followed = version ?? followed;
    return;
  }
  if (type === 'hello') {
    const shown = sections().map((each) => each.dataset.section);
    if (shown.join() !== Object.keys(versions).join()) {
      void refreshAll();
      return;
    }
  }
  for (const [key, version] of Object.entries(versions)) {
    newest.set(key, version);
    const section = sectionOf(key);
    if (section === null) void refreshAll();
    else if (section.dataset.version !== version) void refresh(key, true);
  }
}

/** @type {EventSource | null} */
let events = null;

function connect() {
  if (events !== null) return;
  events = new EventSource('/events');
  events.addEventListener('hello', onVersions);
  events.addEventListener('change', onVersions);
  events.addEventListener('beat', onBeat);
  heardAt = Date.now();
  events.onerror = () => {
    showConnection('lost');
    // A refusal ends it for good; the browser itself only tries again after a broken connection.
    if (events?.readyState !== EventSource.CLOSED) return;
    events = null;
    setTimeout(connect, 5000);
  };
}

/** A connection can die without a word of it, as when a tunnel goes away or a machine sleeps. */
function watch() {
  if (events === null || document.visibilityState === 'hidden' || Date.now() - heardAt < SILENCE_MS) return;
  showConnection('lost');
  disconnect();
  connect();
}

function disconnect() {
  events?.close();
  events = null;
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let hiding;
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiding);
  if (document.visibilityState === 'hidden') hiding = setTimeout(disconnect, HIDDEN_MS);
  else connect();
});
addEventListener('pagehide', disconnect);
addEventListener('pageshow', connect);

// --- Filter and order ------------------------------------------------------------------------------------------------

const filter = /** @type {HTMLFormElement | null} */ (document.getElementById('filter'));
const text = /** @type {HTMLInputElement | null} */ (document.getElementById('q'));
const state = /** @type {HTMLSelectElement | null} */ (document.getElementById('state'));

/** Shows another filter, order or part. @param {URL} url @param {boolean} isStep A step of the browser's history. */
function show(url, isStep) {
  if (url.search === location.search) return;
  history[isStep ? 'pushState' : 'replaceState'](null, '', url);
  for (const section of sections()) {
    const key = section.dataset.section ?? '';
    if (/^(network\/|zones$|secondaries$)/.test(key)) void refresh(key, false);
  }
}

function filtered() {
  if (text === null || state === null) return;
  const url = new URL(location.href);
  for (const part of ['zones', 'secondaries']) url.searchParams.delete(part);
  for (const [name, value, usual] of [
    ['q', text.value.trim(), ''],
    ['state', state.value, 'all'],
  ]) {
    if (value === usual) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  url.hash = '';
  show(url, false);
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let typing;
text?.addEventListener('input', () => {
  clearTimeout(typing);
  typing = setTimeout(filtered, TYPING_MS);
});
state?.addEventListener('change', filtered);
filter?.addEventListener('submit', (event) => {
  event.preventDefault();
  filtered();
});

addEventListener('popstate', () => {
  const fields = new URLSearchParams(location.search);
  if (text !== null) text.value = fields.get('q') ?? '';
  if (state !== null) state.value = fields.get('state') ?? 'all';
  for (const section of sections()) void refresh(section.dataset.section ?? '', false);
});

document.addEventListener('click', (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest('a[data-go]');
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  const url = new URL(link.href);
  // The address has the filter that is typed now, whatever was when the link was made.
  for (const name of ['q', 'state']) {
    const value = new URLSearchParams(location.search).get(name);
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  url.hash = '';
  show(url, true);
});

// --- Changing things -------------------------------------------------------------------------------------------------

const change = /** @type {HTMLDialogElement | null} */ (document.getElementById('change'));

/** @param {string} said @param {boolean} isFault */
function say(said, isFault) {
  const line = change?.querySelector('.said') ?? null;
  if (change === null || line === null) return;
  line.textContent = said;
  line.classList.toggle('fault', isFault);
  if (!change.open) change.showModal();
}

/** The forms of a page of their own, in a dialog. @param {string} address */
async function openForms(address) {
  const box = change?.querySelector('.form') ?? null;
  if (change === null || box === null) return;
  const response = await fetch(address, { headers: { accept: 'text/html' } });
  const made = parsed(await response.text()).querySelector('main section');
  // Signed out meanwhile, or the edge is gone: the page itself says so.
  if (!response.ok || response.redirected || made === null) {
    location.assign(address);
    return;
  }
  made.querySelector('a[data-back]')?.parentElement?.remove();
  box.replaceChildren(...made.childNodes);
  tellAges(box);
  change.dataset.address = address;
  say('', false);
}

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
async function send(form, button) {
  const isInDialog = form.closest('dialog') !== null;
  if (!isInDialog) change?.querySelector('.form')?.replaceChildren();
  say('…', false);
  if (button instanceof HTMLButtonElement) button.disabled = true;
  try {
    const body = new URLSearchParams();
    for (const [name, value] of new FormData(form)) body.append(name, String(value));
    const response = await fetch(form.action, {
      method: 'POST',
      body,
      headers: { accept: 'application/json, text/plain' },
    });
    const text = await response.text();
    if (response.ok) {
      // The next change is to what is there now.
      if (isInDialog && change?.dataset.address !== undefined) await openForms(change.dataset.address);
      say(text.trim(), false);
      if (!isInDialog) form.reset();
      if (follows !== undefined) await refreshAll();
    } else say(JSON.parse(text).detail, true);
  } catch {
    say('The server did not answer.', true);
  } finally {
    if (button instanceof HTMLButtonElement) button.disabled = false;
  }
}

document.addEventListener('submit', (event) => {
  if (!(event.target instanceof HTMLFormElement) || event.target.dataset.act === undefined) return;
  event.preventDefault();
  void send(event.target, event.submitter);
});

document.addEventListener('click', (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  const link = event.target.closest('a[data-dialog]');
  if (!(link instanceof HTMLAnchorElement)) return;
  event.preventDefault();
  void openForms(link.href);
});

// --- Keys ------------------------------------------------------------------------------------------------------------

const help = /** @type {HTMLDialogElement | null} */ (document.getElementById('help'));

/** @param {number} step */
function moveRow(step) {
  const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('tr.row')]);
  if (rows.length === 0) return;
  const current = document.activeElement?.closest('tr.row');
  const from = current === null || current === undefined ? -1 : rows.indexOf(/** @type {HTMLElement} */ (current));
  const to = from < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, from + step));
  rows[to].focus();
  rows[to].scrollIntoView({ block: 'nearest' });
}

/** @type {Record<string, (event: KeyboardEvent) => void>} */
const KEYS = {
  j: () => moveRow(1),
  k: () => moveRow(-1),
  ArrowDown: (event) => inRow(event, 1),
  ArrowUp: (event) => inRow(event, -1),
  Enter: () => {
    const details = document.activeElement?.matches('tr.row') ? document.activeElement.querySelector('details') : null;
    if (details !== null && details !== undefined) details.open = !details.open;
  },
  '/': (event) => {
    event.preventDefault();
    text?.focus();
    text?.select();
  },
  f: () => {
    if (state === null) return;
    state.value = state.value === 'failing' ? 'all' : 'failing';
    filtered();
  },
  '?': () => help?.showModal(),
};

/** Arrows scroll the page unless a row has the focus. @param {KeyboardEvent} event @param {number} step */
function inRow(event, step) {
  if (document.activeElement?.matches('tr.row') !== true) return;
  event.preventDefault();
  moveRow(step);
}

document.addEventListener('keydown', (event) => {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey || help?.open === true || change?.open === true) return;
  if (target instanceof Element && target.matches('input, select, textarea')) {
    if (event.key !== 'Escape' || target !== text || text === null) return;
    if (text.value === '') text.blur();
    else {
      text.value = '';
      filtered();
    }
    return;
  }
  KEYS[event.key]?.(event);
});

tellAges();
setInterval(() => {
  tellAges();
  watch();
}, AGES_MS);
connect();
