/**
 * What the chat shows. The page comes complete from the server; this patches it, from the templates that it carries, and
 * writes text as text alone.
 */

/**
 * @typedef {import('../../src/realtime/socket-events.ts').ChatMessage} ChatMessage
 * @typedef {import('../../src/realtime/socket-events.ts').ChatParticipant} ChatParticipant
 */

const HUES = 8;
/** As close to the end as this counts as at the end. Pixels. */
const NEAR_END = 40;

/**
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {any}
 */
const find = (parent, selector) => parent.querySelector(selector);

/** @param {HTMLElement} page */
export function createChatView(page) {
  /** Yourself: with the name of the account, otherwise with the e-mail as you typed it. */
  const me = { id: page.dataset.me ?? '', shown: page.dataset.shown ?? '', verified: 'verified' in page.dataset };
  /** @type {HTMLElement} */
  const scroll = find(page, '[data-scroll]');
  /** @type {HTMLElement} */
  const messages = find(page, '[data-messages]');
  /** @type {HTMLElement} */
  const pending = find(page, '[data-pending]');
  /** @type {HTMLElement} */
  const people = find(page, '[data-people]');
  /** @type {HTMLButtonElement} */
  const jump = find(page, '[data-jump]');
  const title = document.title;
  let unseen = 0;

  // The box is reversed: 0 is its end, what lies above is negative.
  const isAtEnd = () => scroll.scrollTop > -NEAR_END;
  const toEnd = () => {
    scroll.scrollTop = 0;
  };

  /** Changes the conversation; who reads further up stays there, who is at the end stays at the end. */
  function keepingPlace(/** @type {() => void} */ change) {
    const { scrollHeight, scrollTop } = scroll;
    const stay = !isAtEnd();
    change();
    scroll.scrollTop = stay ? scrollTop - (scroll.scrollHeight - scrollHeight) : 0;
  }

  /**
   * @param {Element} row
   * @param {Pick<ChatParticipant, 'id' | 'verified'>} person
   * @param {string} name
   */
  function fillPerson(row, { id, verified }, name) {
    const avatar = find(row, '.chat-avatar');
    avatar.dataset.hue = String(Number.parseInt(id.slice(-2), 16) % HUES);
    avatar.textContent = [...name][0] ?? '';
    find(row, '[data-name]').textContent = name;
    if (!verified) find(row, '[data-mark]').remove();
  }

  function nameOf(/** @type {ChatParticipant} */ { id, email, name }) {
    return name ?? (id === me.id ? me.shown : email);
  }

  function messageRow(/** @type {ChatMessage} */ { participant, text, createdAt }) {
    return textRow(participant, nameOf(participant), text, createdAt);
  }

  /**
   * @param {Pick<ChatParticipant, 'id' | 'verified'>} person
   * @param {string} name
   * @param {string} text
   * @param {string} createdAt
   * @returns {HTMLElement}
   */
  function textRow(person, name, text, createdAt) {
    const row = cloneOf(find(page, '[data-message-template]'));
    row.toggleAttribute('data-mine', person.id === me.id);
    fillPerson(row, person, name);
    find(row, '.chat-text').textContent = text;
    const time = find(row, 'time');
    time.dateTime = createdAt;
    showLocally(time);
    return row;
  }

  function countUnseen() {
    if (document.hidden) unseen += 1;
    document.title = unseen > 0 ? `(${unseen}) ${title}` : title;
  }

  scroll.addEventListener('scroll', () => {
    if (isAtEnd()) jump.hidden = true;
  });
  jump.addEventListener('click', toEnd);
  document.addEventListener('visibilitychange', () => {
    unseen = 0;
    document.title = title;
  });
  for (const time of messages.querySelectorAll('time')) showLocally(time);

  return {
    /** A message at the end. */
    append(/** @type {ChatMessage} */ message) {
      find(page, '[data-empty]')?.remove();
      const mine = message.participant.id === me.id;
      if (!mine && !isAtEnd()) jump.hidden = false;
      if (!mine) countUnseen();
      keepingPlace(() => messages.append(messageRow(message)));
    },

    /** Older messages in front of the others; what is read now stays in its place. */
    prepend(/** @type {readonly ChatMessage[]} */ older) {
      messages.prepend(...older.map(messageRow));
    },

    /** A quiet line, such as that someone has come. */
    notice(/** @type {string} */ text) {
      const row = document.createElement('li');
      row.className = 'chat-notice';
      row.textContent = text;
      keepingPlace(() => messages.append(row));
    },

    /** An own message that is not stored yet, below all others. */
    pending(/** @type {string} */ text) {
      const row = textRow(me, me.shown, text, new Date().toISOString());
      const state = document.createElement('p');
      state.className = 'chat-state';
      find(row, '.chat-bubble').append(state);
      pending.append(row);
      toEnd();
      return {
        remove: () => row.remove(),
        /**
         * @param {'sending' | 'failed'} name
         * @param {string} words
         * @param {() => void} [retry]
         */
        setState(name, words, retry) {
          row.dataset.state = name;
          state.textContent = words;
          if (retry)
            state.append(
              button('Retry', retry),
              button('Discard', () => row.remove()),
            );
        },
      };
    },

    setPeople(/** @type {readonly ChatParticipant[]} */ present) {
      const template = find(page, '[data-person-template]');
      people.replaceChildren(
        ...present.map((person) => {
          const row = cloneOf(template);
          row.dataset.person = person.id;
          fillPerson(row, person, nameOf(person));
          return row;
        }),
      );
      find(page, '[data-count]').textContent = String(present.length);
    },

    /**
     * @param {'live' | 'lost'} state
     * @param {string} words
     */
    setConnection(state, words) {
      const line = find(page, '[data-connection]');
      line.dataset.state = state;
      line.textContent = words;
    },
  };
}

/** @param {HTMLTemplateElement} template */
function cloneOf(template) {
  const row = template.content.firstElementChild?.cloneNode(true);
  return /** @type {HTMLElement} */ (row);
}

/**
 * @param {string} label
 * @param {() => void} onClick
 */
function button(label, onClick) {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = label;
  element.addEventListener('click', onClick);
  return element;
}

/** In the reader's own time zone; the day only when it is another one. */
function showLocally(/** @type {HTMLTimeElement} */ time) {
  const at = new Date(time.dateTime);
  const isToday = at.toDateString() === new Date().toDateString();
  time.title = at.toLocaleString();
  time.textContent = at.toLocaleString(undefined, {
    ...(isToday ? {} : { day: 'numeric', month: 'short' }),
    hour: '2-digit',
    minute: '2-digit',
  });
}
