/** The page's one Socket.io connection. It connects again by itself when it is lost. */

// @ts-expect-error: Socket.io serves its own client.
import { io } from '/socket.io/socket.io.esm.min.js';
import { announce } from './announce.js';

/** @type {import('socket.io-client').Socket<import('../../src/realtime/socket-events.ts').ServerToClient, import('../../src/realtime/socket-events.ts').ClientToServer>} */
export const socket = io({ transports: ['websocket', 'polling'], tryAllTransports: true });

// Who types on is to know it before the form is sent.
socket.on('login:changed', ({ reason }) => announce(reason, { stays: true }));
