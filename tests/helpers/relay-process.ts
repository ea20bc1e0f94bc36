/** A process that takes an event from the outbox and is ended in the middle of its work: `node relay-process.ts <uri>`. */
import mongoose from 'mongoose';
import { Outbox } from '../../src/services/outbox.ts';

await mongoose.connect(process.argv[2] ?? '', { autoIndex: false, autoCreate: false });
const outbox = new Outbox({ log: console, leaseMs: 900 });
outbox.start([
  {
    name: 'mortal',
    types: ['order.paid'],
    handle: ([event]) => {
      console.log(event?.id);
      return new Promise(() => {});
    },
  },
]);
