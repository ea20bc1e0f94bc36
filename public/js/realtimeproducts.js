/** All products as they change, with the state of the connection and a feed of what has happened. */
import { keepListLive } from './live-list.js';
import { socket } from './socket.js';

const FEED_LINES = 50;
const STATES = { live: 'Live', reconnecting: 'Connection lost, trying again' };

const state = document.querySelector('[data-live-state]');
const stateText = document.querySelector('[data-live-text]');
const feed = document.querySelector('[data-feed]');

keepListLive({
  belongs: () => true,
  onState: (name) => {
    state?.setAttribute('data-live-state', name);
    if (stateText && stateText.textContent !== STATES[name]) stateText.textContent = STATES[name];
  },
});

socket.on('update_products', ({ msg }) => {
  document.querySelector('[data-feed-empty]')?.remove();
  const line = document.createElement('li');
  const time = document.createElement('time');
  time.textContent = new Date().toLocaleTimeString('en-GB');
  line.append(time, msg);
  feed?.prepend(line);
  while (feed && feed.children.length > FEED_LINES) feed.lastElementChild?.remove();
});
