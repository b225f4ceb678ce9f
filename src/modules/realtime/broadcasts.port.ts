import type { Permission } from '../security/access.port.js';
import type { Principal } from '../security/principal.port.js';

/** What is told to all who listen and may hear it. `type` says what the rest is. */
export type Broadcast = { type: string } & Record<string, unknown>;

/** Live news of other modules than training: plain WebSockets at paths of their own, and Socket.IO clients that watch. */
export abstract class Broadcasts {
  /** Serves the topic at these paths, to callers with the permission; Socket.IO clients `watch` it by its name. */
  abstract open(topic: string, paths: readonly string[], permission: Permission): void;
  /** Nothing is stored: who is not there does not hear it. Over Socket.IO the event is called `<topic>_<type>`. */
  abstract send(topic: string, body: Broadcast, mayHear: (listener: Principal) => boolean): void;
  /** Listeners of the topic that there are: without any, nothing need be made for them. */
  abstract listeners(topic: string): number;
}
