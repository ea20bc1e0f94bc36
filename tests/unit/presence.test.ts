import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Person, Presence } from '../../src/services/presence.ts';

const ana = { id: 'a', email: 'ana@example.com', name: 'Ana', verified: true };
const bo = { id: 'b', email: 'bo@example.com', name: null, verified: false };
let heard: string[];
let presence: Presence;

beforeEach(() => {
  jest.useFakeTimers();
  heard = [];
  const note = (what: string) => (person: Person, total: number) => heard.push(`${person.id} ${what}, ${total} there`);
  presence = new Presence({ graceMs: 5000, leaseMs: 60_000, onJoined: note('joined'), onLeft: note('left') });
});
afterEach(() => {
  jest.useRealTimers();
});

describe('Presence', () => {
  it('counts a person once over all visits and connections', () => {
    const ends = [presence.connect(ana, 'laptop'), presence.connect(ana, 'laptop'), presence.connect(ana, 'phone')];
    presence.connect(bo, 'phone of bo');
    expect(presence.list()).toEqual([ana, bo]);
    for (const end of ends) end();
    jest.advanceTimersByTime(4999);
    expect(heard).toEqual(['a joined, 1 there', 'b joined, 2 there']);
    jest.advanceTimersByTime(1);
    expect(heard.slice(2)).toEqual(['a left, 1 there']);
  });

  it('takes the end of a connection only once', () => {
    const end = presence.connect(ana, 'laptop');
    presence.connect(ana, 'laptop');
    end();
    end();
    jest.advanceTimersByTime(100_000);
    expect(presence.list()).toEqual([ana]);
  });

  it('keeps those who only make requests for a minute after each', () => {
    presence.renew(ana, 'program');
    jest.advanceTimersByTime(59_999);
    presence.renew(ana, 'program');
    jest.advanceTimersByTime(59_999);
    expect(presence.list()).toEqual([ana]);
    jest.advanceTimersByTime(1);
    expect(heard).toEqual(['a joined, 1 there', 'a left, 0 there']);
    presence.renew(ana, 'program');
    expect(heard.at(-1)).toBe('a joined, 1 there');
  });

  it('lets a connection take the place of a request', () => {
    presence.renew(ana, 'laptop');
    const end = presence.connect(ana, 'laptop');
    presence.renew(ana, 'laptop');
    jest.advanceTimersByTime(100_000);
    end();
    jest.advanceTimersByTime(5000);
    expect(heard).toEqual(['a joined, 1 there', 'a left, 0 there']);
  });

  it('ends a visit at once when it is left; what it had open counts for nothing after that', () => {
    const end = presence.connect(ana, 'laptop');
    presence.leave(ana.id, 'laptop');
    presence.leave(ana.id, 'laptop');
    expect(heard).toEqual(['a joined, 1 there', 'a left, 0 there']);
    presence.connect(ana, 'laptop');
    end();
    jest.advanceTimersByTime(100_000);
    expect(presence.list()).toEqual([ana]);
  });

  it('falls silent when it is stopped', () => {
    const end = presence.connect(ana, 'laptop');
    presence.renew(bo, 'program');
    presence.stop();
    end();
    presence.leave(bo.id, 'program');
    jest.advanceTimersByTime(100_000);
    expect(heard).toEqual(['a joined, 1 there', 'b joined, 2 there']);
  });
});
