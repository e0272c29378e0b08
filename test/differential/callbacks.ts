/** Which observations the callbacks of a program make. */
import { isObserved } from '../../src/state/stream-choices.ts';
import { mapSteps, type CallbackStep, type Observation, type Program } from './program.ts';

type Registration = Pick<CallbackStep, 'callback' | 'instruments'>;

function isSame(a: Registration, b: Registration): boolean {
  const [some, others] = [new Set(a.instruments), new Set(b.instruments)];
  return a.callback === b.callback && some.size === others.size && [...some].every((one) => others.has(one));
}

/**
 * The program with the observations of each collection as they reach instruments, ranked in the order of registration, in which the later counts.
 * What a callback that is not registered would observe is gone, as is what a batch callback observes of instruments it was not added to.
 */
export function withObservationsMade(program: Program): Program {
  const registered: Registration[] = [];
  return mapSteps(program, (step) => {
    if (step.step === 'add callback' && !registered.some((one) => isSame(one, step))) registered.push(step);
    if (step.step === 'remove callback') {
      const index = registered.findIndex((one) => isSame(one, step));
      if (index >= 0) registered.splice(index, 1);
    }
    if (step.step !== 'collect') return step;
    const observations = registered.flatMap(({ callback, instruments }): Observation[] => {
      const { isBatch, isAsync } = program.callbacks[callback]!;
      const made = { fails: step.failures.has(callback), isLate: isAsync };
      return step.observations
        .filter((one) => one.callback === callback && (!isBatch || instruments.includes(one.instrument)))
        .map((one) => ({ ...one, ...made, instrument: isBatch ? one.instrument : instruments[0]! }));
    });
    return { ...step, observations: observations.map((one, rank) => ({ ...one, rank })) };
  });
}

/** The same observations, each made for its instrument alone, whatever callbacks do beside it. */
export function observedDirectly(program: Program): Program {
  return mapSteps(program, (step) => {
    if (step.step === 'create') return { ...step, isObservedDirectly: isObserved(step.kind) };
    if (step.step !== 'collect') return step;
    return { ...step, observations: step.observations.map((one) => ({ ...one, callback: undefined })) };
  });
}

/** As callbacks make them: those that wait for a promise after the others. */
export function inCallOrder(observations: readonly Observation[]): Observation[] {
  return [...observations].sort((a, b) => Number(a.isLate ?? false) - Number(b.isLate ?? false));
}
