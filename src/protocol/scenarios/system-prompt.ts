/** What an agent's model is told: one line for each thing that it knows, in a fixed order, without empty ones. */
import type { AgentSpec } from '../nats-messages.ts';

export function systemPrompt(spec: Pick<AgentSpec, 'scenario' | 'person'>): string {
  const lines: [label: string, text: string][] = [
    ['Scenario', spec.scenario.text],
    ['You', spec.person.persona],
    ['Goal', spec.person.goal],
    ['Secret', spec.person.secret],
  ];
  return lines
    .filter(([, text]) => text.trim() !== '')
    .map(([label, text]) => `${label}: ${text.trim()}`)
    .join('\n');
}
