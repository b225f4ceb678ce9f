import { Body, Controller, Delete, Get, HttpCode, Post, Query, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { AdapterOrders } from './adapter-orders.service.js';
import { AdapterParameters, AdapterOrderReplyDto, BareStatusDto } from './serving.dto.js';
import { ServingPortOnly } from './serving-port.guard.js';
import { ServingViews } from './serving-views.js';

/** The paths of the original's development script, on the serving port only. */
@ApiTags('serving')
@UseGuards(ServingPortOnly)
@Controller()
export class BareServingController {
  constructor(
    private readonly orders: AdapterOrders,
    private readonly views: ServingViews,
  ) {}

  @Requires('adapters:read')
  @Get('status')
  @ApiOperation({ summary: 'Base model, loaded adapters and the active one (serving port)' })
  status(): BareStatusDto {
    return this.views.bare();
  }

  @Requires('adapters:activate')
  @Post('load_adapter')
  @HttpCode(200)
  @ApiOperation({ summary: 'As POST /api/serving/load_adapter (serving port)' })
  load(
    @Query() query: AdapterParameters,
    @Body() body: AdapterParameters,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterOrderReplyDto> {
    return this.orders.load([query, body], caller);
  }

  @Requires('adapters:activate')
  @Post('activate_adapter')
  @HttpCode(200)
  @ApiOperation({ summary: 'As POST /api/serving/activate_adapter (serving port)' })
  activate(
    @Query() query: AdapterParameters,
    @Body() body: AdapterParameters,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterOrderReplyDto> {
    return this.orders.activate([query, body], caller);
  }

  @Requires('adapters:activate')
  @Post('deactivate_adapter')
  @HttpCode(200)
  @ApiOperation({ summary: 'As POST /api/serving/deactivate (serving port)' })
  deactivate(@CurrentUser() caller: Caller): Promise<AdapterOrderReplyDto> {
    return this.orders.deactivate(caller);
  }

  @Requires('adapters:activate')
  @Delete('unload_adapter')
  @ApiOperation({ summary: 'As DELETE /api/serving/unload_adapter (serving port)' })
  unload(
    @Query() query: AdapterParameters,
    @Body() body: AdapterParameters,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterOrderReplyDto> {
    return this.orders.unload([query, body], caller);
  }
}
