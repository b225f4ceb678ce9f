import { Module } from '@nestjs/common';
import { AuthenticatedSocketGate } from './authenticated-socket-gate.js';
import { Admission } from './admission.js';
import { BroadcastGateway } from './broadcast.gateway.js';
import { Broadcasts } from './broadcasts.port.js';
import { EventHub } from './event-hub.js';
import { JobEventsController } from './job-events.controller.js';
import { JobEventsService } from './job-events.service.js';
import { LiveLimits } from './live-limits.js';
import { LiveServer } from './live-server.js';
import { LiveStats } from './live-stats.port.js';
import { PlainSocketGateway } from './plain-socket.gateway.js';
import { SocketGate } from './socket-gate.port.js';
import { SocketIoGateway } from './socket-io.gateway.js';
import { UpgradeRouter } from './upgrade-router.js';
import { TrainingModule } from '../training/training.module.js';

@Module({
  imports: [TrainingModule],
  controllers: [JobEventsController],
  providers: [
    LiveLimits,
    EventHub,
    Admission,
    UpgradeRouter,
    PlainSocketGateway,
    SocketIoGateway,
    JobEventsService,
    BroadcastGateway,
    { provide: Broadcasts, useExisting: BroadcastGateway },
    LiveServer,
    { provide: LiveStats, useExisting: LiveServer },
    { provide: SocketGate, useClass: AuthenticatedSocketGate },
  ],
  exports: [Broadcasts, LiveServer, LiveStats],
})
export class RealtimeModule {}
