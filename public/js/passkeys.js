/**
 * Passkeys: the button of the login page, and the form by which one is added. They are shown where the browser knows
 * passkeys and stands at the only address where they work.
 */

// @ts-expect-error: a script for browsers, which names itself.
import '/vendor/webauthn/index.umd.min.js';

/** @type {typeof import('@simplewebauthn/browser')} */
const { browserSupportsWebAuthn, startAuthentication, startRegistration } = Reflect.get(
  globalThis,
  'SimpleWebAuthnBrowser',
);

const CANCELLED = 'Nothing has happened: it was cancelled, or took too long. Try again when you like.';
const KNOWN = 'This device has a passkey of yours already.';

offer('[data-passkey-login]', logIn);
offer('[data-passkey-new]', add);

/**
 * @param {string} selector
 * @param {(form: HTMLFormElement) => Promise<void>} work
 */
function offer(selector, work) {
  const form = document.querySelector(selector);
  if (!(form instanceof HTMLFormElement)) return;
  if (!browserSupportsWebAuthn() || form.dataset.origin !== location.origin) return;
  form.hidden = false;
  for (const unavailable of document.querySelectorAll('[data-passkey-unavailable]')) unavailable.remove();
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    attempt(form, work);
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {(form: HTMLFormElement) => Promise<void>} work
 */
async function attempt(form, work) {
  const problem = /** @type {HTMLElement} */ (form.querySelector('[role=alert]'));
  const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'));
  problem.hidden = true;
  button.disabled = true;
  button.setAttribute('aria-busy', 'true');
  try {
    await work(form);
  } catch (error) {
    problem.textContent = inWords(/** @type {Error} */ (error));
    problem.hidden = false;
  } finally {
    button.disabled = false;
    button.removeAttribute('aria-busy');
  }
}

/** @param {HTMLFormElement} form */
async function logIn(form) {
  const optionsJSON = await ask('/api/auth/login/passkey/options', {});
  const response = await startAuthentication({ optionsJSON });
  /** @type {HTMLInputElement} */ (form.elements.namedItem('response')).value = JSON.stringify(response);
  form.submit();
}

/** @param {HTMLFormElement} form */
async function add(form) {
  const { name, password } = Object.fromEntries(new FormData(form));
  const optionsJSON = await ask('/api/auth/passkeys/options', { password });
  const response = await startRegistration({ optionsJSON });
  await ask('/api/auth/passkeys', { name, response });
  location.assign('/profile#passkeys');
}

/**
 * @param {string} path
 * @param {object} body
 */
async function ask(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  const answer = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
  const content = await answer.json();
  if (answer.ok) return content;
  /** @type {{ detail: string, errors?: { pointer: string, detail: string }[] }} */
  const { detail, errors } = content;
  throw new Error(errors?.map((fault) => `The ${fault.pointer.slice(2)} ${fault.detail}.`).join(' ') ?? detail);
}

/** @param {Error} error */
function inWords({ name, message }) {
  if (name === 'NotAllowedError' || name === 'AbortError') return CANCELLED;
  return name === 'InvalidStateError' ? KNOWN : message;
}
