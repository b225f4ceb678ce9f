import { Body, Delete, HttpCode, Injectable, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { Requires } from '../security/access.port.js';
import { CurrentUser, type Caller } from '../security/principal.port.js';
import { AdapterOrders } from './adapter-orders.service.js';
import { AdapterParameters, AdapterOrderReplyDto } from './serving.dto.js';
import { ServingViews } from './serving-views.js';

/** The orders that name an adapter, wherever their paths begin. */
@Injectable()
export abstract class AdapterOrderController {
  constructor(
    protected readonly orders: AdapterOrders,
    protected readonly views: ServingViews,
  ) {}

  @Requires('adapters:activate')
  @Post('load_adapter')
  @HttpCode(200)
  @ApiOperation({
    summary: 'Load an adapter into every replica; it stays until it is unloaded, or others need its slot',
  })
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
  @ApiOperation({ summary: 'Move the alias `active` to an adapter: it answers where none is named' })
  activate(
    @Query() query: AdapterParameters,
    @Body() body: AdapterParameters,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterOrderReplyDto> {
    return this.orders.activate([query, body], caller);
  }

  @Requires('adapters:activate')
  @Delete('unload_adapter')
  @ApiOperation({
    summary: 'Unload an adapter: its answers may end first; 409 while an alias or a pin holds it, unless forced',
  })
  unload(
    @Query() query: AdapterParameters,
    @Body() body: AdapterParameters,
    @CurrentUser() caller: Caller,
  ): Promise<AdapterOrderReplyDto> {
    return this.orders.unload([query, body], caller);
  }
}
