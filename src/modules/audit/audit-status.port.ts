/** How far the audit trail is, for the readiness of the application. */
export abstract class AuditStatus {
  abstract status(): { kept: boolean; ready: boolean; unlinked_seconds: number };
}
