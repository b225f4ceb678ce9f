const KiB = 1024;

/** Bounds of the live updates: bytes, milliseconds and counts. One object, so that a test can make them small. */
export class LiveLimits {
  /** Open and waiting sockets of this process; one more is refused. */
  sockets = 10_000;
  /** Events kept in memory for those who are almost up to date. */
  ringEvents = 2048;
  ringBytes = 16 * KiB * KiB;
  /** Events read from the log at once, by the follower and for one client that is behind. */
  followPage = 200;
  replayPage = 100;
  /** Clients that may read a page of the log at the same moment; the database has other work. */
  replayReads = 4;
  /** A client with more than this unsent is not written to. */
  backlogBytes = 64 * KiB;
  /** A client with more than this unsent that still asks for more is closed. */
  floodBytes = KiB * KiB;
  /** A client that takes nothing for this long is closed. */
  stuckMs = 60_000;
  drainPollMs = 20;
  /** Reading the log where no news arrived: a notification may be lost. */
  feedPollMs = 1000;
  pingMs = 25_000;
  /** Pings without an answer after which the peer counts as dead. */
  missedPings = 2;
  authenticationMs = 10_000;
  closeMs = 900;
  messageBytes = 64 * KiB;
  /** The protocol itself refuses larger messages: such a one is never held in memory. */
  payloadBytes = KiB * KiB;
  subscriptions = 100;
  /** A client that says more is closed; one that works says some in an hour. */
  messagesPerMinute = 3000;
  heartbeatMs = 15_000;
}
