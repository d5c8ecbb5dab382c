/** Those who wait until something holds; they look again whenever something may have changed. */
export interface Watchers {
  tell(): void;
  /** Settles with true when the condition holds, or with false when the time is over. */
  until(holds: () => boolean, timeoutMs?: number): Promise<boolean>;
}

export function createWatchers(): Watchers {
  const watchers = new Set<() => void>();
  return {
    tell: () => {
      for (const watcher of watchers) watcher();
    },
    until: (holds, timeoutMs) => {
      if (holds()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const settle = (value: boolean): void => {
          clearTimeout(timer);
          watchers.delete(watch);
          resolve(value);
        };
        const watch = (): void => {
          if (holds()) settle(true);
        };
        const timer = timeoutMs === undefined ? undefined : setTimeout(() => settle(false), timeoutMs);
        watchers.add(watch);
      });
    },
  };
}
