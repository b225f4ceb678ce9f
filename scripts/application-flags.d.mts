export const applicationFlags: readonly string[];
