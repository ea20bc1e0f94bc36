/**
 * "Try it" on the page of the API: sends what the form says and shows the answer. The page is complete without it.
 * Keys stay in their inputs; cookies are not sent, so that trying things out leaves the visitor's own cart alone.
 */

const keys = /** @type {HTMLFormElement} */ (document.querySelector('[data-docs-keys]'));
keys.hidden = false;
keys.addEventListener('submit', (event) => event.preventDefault());

for (const panel of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-try]'))) {
  panel.hidden = false;
  const form = /** @type {HTMLFormElement} */ (panel.querySelector('form'));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    send(form);
  });
}

// On a narrow screen the list of operations would push everything else away.
if (matchMedia('(max-width: 64rem)').matches) document.querySelector('[data-docs-menu]')?.removeAttribute('open');

/** @param {HTMLFormElement} form */
async function send(form) {
  const output = /** @type {HTMLOutputElement} */ (form.querySelector('output'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'));
  button.setAttribute('aria-busy', 'true');
  try {
    const { address, init } = toRequest(form);
    const answer = await fetch(address, init);
    keepSecrets(answer);
    show(output, `${answer.status} ${answer.statusText}`, headersOf(answer), await answer.text());
  } catch (error) {
    show(output, 'No answer', '', String(error));
  } finally {
    button.removeAttribute('aria-busy');
  }
}

/**
 * @param {HTMLFormElement} form
 * @returns {{ address: string, init: RequestInit }}
 */
function toRequest(form) {
  const data = new FormData(form);
  const query = new URLSearchParams();
  const headers = new Headers();
  let path = form.dataset.path ?? '';
  for (const [name, value] of data) {
    const [place = '', key = ''] = name.split(':', 2);
    if (typeof value !== 'string' || value === '') continue;
    if (place === 'path') path = path.replace(`{${key}}`, encodeURIComponent(value));
    if (place === 'query') query.append(key, value);
    if (place === 'header') headers.set(key, value);
  }
  for (const input of keys.querySelectorAll('input')) {
    const name = input.dataset.header ?? '';
    if (input.value) headers.set(name, name === 'Authorization' ? `Bearer ${input.value}` : input.value);
  }
  return {
    address: query.size > 0 ? `${path}?${query}` : path,
    init: { method: form.dataset.method ?? 'GET', headers, body: toBody(data, headers), credentials: 'omit' },
  };
}

/**
 * @param {FormData} data
 * @param {Headers} headers
 */
function toBody(data, headers) {
  const text = data.get('body');
  if (typeof text === 'string' && text.trim()) {
    headers.set('Content-Type', 'application/json');
    return text;
  }
  const files = data.getAll('file').filter((file) => file instanceof File && file.size > 0);
  if (files.length === 0) return undefined;
  const body = new FormData();
  for (const file of files) body.append('file', file);
  return body;
}

/** What opens the cart or the chat from now on is shown once: it goes where the next request finds it. */
function keepSecrets(/** @type {Response} */ answer) {
  for (const input of keys.querySelectorAll('input')) {
    const secret = answer.headers.get(input.dataset.header ?? '');
    if (secret) input.value = secret;
  }
}

/** @param {Response} answer */
function headersOf(answer) {
  const shown = ['content-type', 'etag', 'location', 'link', 'ratelimit', 'retry-after', 'allow', 'x-request-id'];
  return [...answer.headers]
    .filter(([name]) => shown.includes(name))
    .map(([name, value]) => `${name}: ${value}`)
    .join('\n');
}

/**
 * @param {HTMLOutputElement} output
 * @param {string} status
 * @param {string} headers
 * @param {string} body
 */
function show(output, status, headers, body) {
  const line = document.createElement('strong');
  line.textContent = status;
  const block = document.createElement('pre');
  block.tabIndex = 0;
  block.textContent = [headers, readable(body)].filter(Boolean).join('\n\n');
  output.replaceChildren(line, block);
}

/** @param {string} text */
function readable(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
