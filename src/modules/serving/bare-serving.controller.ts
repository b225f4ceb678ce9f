import { Controller, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import { ApiNotFoundResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { AdapterOrderController } from './adapter-order.controller.js';
import { AdapterOrderReplyDto, BareStatusDto } from './serving.dto.js';
import { ServingPortOnly } from './serving-port.guard.js';

/** The paths of the original's development script, on the serving port only. */
@ApiTags('serving')
@ApiNotFoundResponse({ description: 'There is no such thing, or this is not the serving port.' })
@UseGuards(ServingPortOnly)
@Controller()
export class BareServingController extends AdapterOrderController {
  @Requires('adapters:read')
  @Get('status')
  @ApiOperation({ summary: 'Base model, loaded adapters and the active one (serving port)' })
  status(): BareStatusDto {
    return this.views.bare();
  }

  @Requires('adapters:activate')
  @Post('deactivate_adapter')
  @HttpCode(200)
  @ApiOperation({ summary: 'As POST /api/serving/deactivate (serving port)' })
  deactivate(@CurrentUser() caller: Caller): Promise<AdapterOrderReplyDto> {
    return this.orders.deactivate(caller);
  }
}
