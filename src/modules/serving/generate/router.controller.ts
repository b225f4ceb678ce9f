import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Requires } from '../../security/access.port.js';
import { CurrentUser, type Caller } from '../../security/principal.port.js';
import { AutoRouter } from '../routing/auto-router.js';
import { RouterSettings } from '../routing/router-settings.service.js';
import { ServingStatusDto } from '../serving.dto.js';
import { ServingViews } from '../serving-views.js';
import { RouterConfigDto, RouterChangeDto } from './router.dto.js';

/** How `auto` chooses, and from what. */
@ApiTags('serving')
@Controller('api/serving/router')
export class RouterController {
  constructor(
    private readonly settings: RouterSettings,
    private readonly views: ServingViews,
    private readonly router: AutoRouter,
  ) {}

  @Requires('adapters:read')
  @Get('status')
  @ApiOperation({
    summary: 'The replicas: their state, what they hold, and how that differs from what they should; how `auto` stands',
  })
  status(): ServingStatusDto {
    return this.views.status(this.router.status);
  }

  @Requires('adapters:read')
  @Get('configure')
  @ApiOperation({ summary: 'Thresholds, weights and rules of `auto` as they hold now' })
  routerConfiguration(): RouterConfigDto {
    return this.settings.current();
  }

  @Requires('adapters:activate')
  @Post('configure')
  @HttpCode(200)
  @ApiOperation({ summary: 'Change thresholds, weights and rules of `auto`; what is not named stays' })
  configureRouter(@Body() body: RouterChangeDto, @CurrentUser() caller: Caller): Promise<RouterConfigDto> {
    return this.settings.change(body, caller);
  }
}
