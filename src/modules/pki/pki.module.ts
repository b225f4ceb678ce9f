import { join } from 'node:path';
import {
  Global,
  Module,
  type FactoryProvider,
  type OnModuleDestroy,
  type OnModuleInit,
  Inject,
  Optional,
} from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Settings } from '../../config/settings.js';
import { Clock } from '../../kernel/clock.js';
import { messageOf } from '../../kernel/errors.js';
import { Log } from '../../kernel/log.js';
import { Wakeups } from '../../kernel/wakeups.js';
import { AuditTrail } from '../audit/audit.port.js';
import { Authority, DatabaseAuthority, NoAuthority } from './authority.js';
import { AutoRenewalController } from './auto-renewal.controller.js';
import { CaController } from './ca.controller.js';
import { CertificatesController } from './certificates.controller.js';
import { Certificates } from './certificates.service.js';
import { CrlController } from './crl.controller.js';
import { Enrolment } from './enrolment.js';
import { EnrolmentTokensController } from './enrolment-tokens.controller.js';
import { FileIdentity } from './file-identity.js';
import { FollowedIdentity } from './followed-identity.js';
import { OcspController } from './ocsp.controller.js';
import { OcspResponder } from './ocsp-responder.js';
import { OwnIdentity, type OwnIdentityParts } from './own-identity.js';
import { PkiServicesController } from './pki-services.controller.js';
import { RevocationLists } from './revocation-lists.js';
import { ServiceRegistry } from './service-registry.js';
import { ServiceIdentity } from './service-identity.port.js';

const HOUR_MS = 3_600_000;

const authority: FactoryProvider<Authority> = {
  provide: Authority,
  inject: [Settings, DataSource, AuditTrail, Clock],
  useFactory: ({ pki }: Settings, source: DataSource, audit: AuditTrail, clock: Clock) =>
    pki.enabled ? DatabaseAuthority.open(source, audit, { ...pki, now: () => clock.now() }) : new NoAuthority(),
};

/** The certificate that the doors show; undefined where none of them speaks TLS. */
const identityProvider: FactoryProvider<ServiceIdentity | undefined> = {
  provide: ServiceIdentity,
  inject: [Settings, Authority, Certificates, RevocationLists, Wakeups, Clock, Log],
  useFactory: async (settings: Settings, ...[signer, issued, crls, wakeups, clock, log]: IdentityParts) => {
    const { pki, tls, folders } = settings;
    if (!tls.mutual && !pki.enabled) return undefined;
    if (pki.files) return FileIdentity.open(pki.files, log);
    const parts: OwnIdentityParts = { authority: signer, certificates: issued, lists: crls, wakeups, clock, log };
    return OwnIdentity.open(parts, { folder: join(folders.data, 'pki'), ...pki.certificate });
  },
};

type IdentityParts = [Authority, Certificates, RevocationLists, Wakeups, Clock, Log];

/** The certificate authority of this database, and the certificate of this application. */
@Global()
@Module({
  controllers: [
    CertificatesController,
    CaController,
    CrlController,
    OcspController,
    PkiServicesController,
    EnrolmentTokensController,
    AutoRenewalController,
  ],
  providers: [authority, RevocationLists, Certificates, Enrolment, ServiceRegistry, OcspResponder, identityProvider],
  exports: [ServiceIdentity],
})
export class PkiModule implements OnModuleInit, OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly settings: Settings,
    private readonly revocations: RevocationLists,
    private readonly log: Log,
    @Optional() @Inject(ServiceIdentity) private readonly identity: ServiceIdentity | undefined,
  ) {}

  /** Where the own certificate is an outside CA's, nobody else looks after our CRLs. */
  async onModuleInit(): Promise<void> {
    if (!this.settings.pki.enabled || this.identity instanceof OwnIdentity) return;
    const refresh = async () => {
      for (const issuer of ['intermediate', 'root'] as const) await this.revocations.refresh(issuer);
    };
    await refresh();
    const warn = (error: unknown) => this.log.warn('the CRLs could not be renewed', { error: messageOf(error) });
    this.#timer = setInterval(() => void refresh().catch(warn), HOUR_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
    if (this.identity instanceof FollowedIdentity) this.identity.close();
  }
}
