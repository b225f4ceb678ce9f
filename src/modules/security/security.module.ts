import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { DebugGuard } from './debug.guard.js';

@Module({ providers: [{ provide: APP_GUARD, useClass: DebugGuard }] })
export class SecurityModule {}
