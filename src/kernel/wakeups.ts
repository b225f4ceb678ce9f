/** Cheap signals between processes that share a database: they may come twice, and get lost while it is away. */
export abstract class Wakeups {
  /** Calls back at each signal on `channel`, and once after a lost connection is back; the returned function ends it. */
  abstract on(channel: string, listener: (payload: string) => void): () => void;
}
