/** What trains on this host right now. */
export abstract class HostTrainings {
  /** Trainings that compute on its cores. */
  abstract onCores(): number;
}
