export declare function commandNames(): string[];
export declare function cliPage(): string;
export declare function metricHelp(): Map<string, string>;
export declare function metricsPage(): string;
