import { Injectable } from '@nestjs/common';
import { Settings } from '../../config/settings.js';
import type { Principal } from '../security/principal.port.js';
import { SocketGate } from './socket-gate.port.js';

/** Lets everyone in as the mock user of debug mode. */
@Injectable()
export class DebugSocketGate extends SocketGate {
  constructor(private readonly settings: Settings) {
    super();
  }

  check(): Promise<Principal> {
    const { debugUser, debugRoles } = this.settings.security;
    return Promise.resolve({ subject: debugUser, roles: debugRoles });
  }
}
