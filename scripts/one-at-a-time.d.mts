export declare function oneAtATime<T>(
  path: string,
  options: { onWait?: () => void },
  work: () => Promise<T>,
): Promise<T>;
