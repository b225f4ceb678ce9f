import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import { type Principal, SocketGate } from './socket-gate.port.js';

/** Lets everyone in as the mock user of debug mode. */
@Injectable()
export class DebugSocketGate extends SocketGate {
  constructor(private readonly settings: Settings) {
    super();
  }

  check(): Promise<Principal> {
    return Promise.resolve({ subject: 'debug-user', roles: this.settings.security.debugRoles });
  }
}
