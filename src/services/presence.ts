/**
 * Who is in the room. A person is there while one of their visits (browsers, programs) is: through open connections,
 * or for a while after an HTTP request. Others hear of the first that comes and the last that has gone.
 */

/** A person with the e-mail as typed; it must be masked before it leaves the server. */
export interface Person {
  id: string;
  email: string;
  /** Of the account, null for a guest. */
  name: string | null;
  verified: boolean;
}

interface PresenceOptions {
  /** How long a person stays after the last connection closed, so that a reload is not a departure. Milliseconds. */
  graceMs: number;
  /** How long an HTTP request keeps a person there. Milliseconds. */
  leaseMs: number;
  onJoined: (person: Person, total: number) => void;
  onLeft: (person: Person, total: number) => void;
}

interface Visit {
  connections: number;
  /** Ends a visit without connections. */
  end: NodeJS.Timeout | undefined;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #present = new Map<string, { person: Person; visits: Map<string, Visit> }>();
  #stopped = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
  }

  /** In the order in which they came. */
  list(): Person[] {
    return [...this.#present.values()].map(({ person }) => person);
  }

  /** Counts a connection in. @returns a function that counts it out; calling it again does nothing. */
  connect(person: Person, visitId: string): () => void {
    const visit = this.#visit(person, visitId);
    visit.connections += 1;
    clearTimeout(visit.end);
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      visit.connections -= 1;
      if (visit.connections === 0) this.#endLater(person.id, visitId, visit, this.#options.graceMs);
    };
  }

  /** Keeps a visit without connections there for another lease. */
  renew(person: Person, visitId: string): void {
    const visit = this.#visit(person, visitId);
    if (visit.connections === 0) this.#endLater(person.id, visitId, visit, this.#options.leaseMs);
  }

  /** Somebody who may be there has another name or address; who comes from now on sees it. */
  rename(person: Person): void {
    const entry = this.#present.get(person.id);
    if (entry) entry.person = person;
  }

  /** Ends a visit with all its connections at once. */
  leave(personId: string, visitId: string): void {
    const visit = this.#present.get(personId)?.visits.get(visitId);
    if (visit) this.#end(personId, visitId, visit);
  }

  /** From now on nobody comes or goes: a server that stops is not a room that empties. */
  stop(): void {
    this.#stopped = true;
    for (const { visits } of this.#present.values()) for (const visit of visits.values()) clearTimeout(visit.end);
  }

  #visit(person: Person, visitId: string): Visit {
    const entry = this.#present.get(person.id) ?? { person, visits: new Map<string, Visit>() };
    const visit = entry.visits.get(visitId) ?? { connections: 0, end: undefined };
    // Their name may be another one since they came.
    entry.person = person;
    entry.visits.set(visitId, visit);
    if (!this.#present.has(person.id) && !this.#stopped) {
      this.#present.set(person.id, entry);
      this.#options.onJoined(person, this.#present.size);
    }
    return visit;
  }

  #endLater(personId: string, visitId: string, visit: Visit, ms: number): void {
    clearTimeout(visit.end);
    if (!this.#stopped) visit.end = setTimeout(() => this.#end(personId, visitId, visit), ms).unref();
  }

  #end(personId: string, visitId: string, visit: Visit): void {
    const entry = this.#present.get(personId);
    // A visit that was left may have begun anew under the same id.
    if (this.#stopped || entry?.visits.get(visitId) !== visit) return;
    clearTimeout(visit.end);
    entry.visits.delete(visitId);
    if (entry.visits.size > 0) return;
    this.#present.delete(personId);
    this.#options.onLeft(entry.person, this.#present.size);
  }
}
