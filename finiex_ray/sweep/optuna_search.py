"""`OptunaSearch`: trials from Optuna's samplers, in batches, so that the trials of a batch share their windows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Final, Literal

from finiex_ray.core.errors import ConfigError
from finiex_ray.sweep.objective import Objective
from finiex_ray.sweep.search import Search, Trial, TrialState, params_key
from finiex_ray.sweep.space import Choice, Domain, Integers, Params, Space

__all__ = ["OptunaSearch", "Pruner", "Sampler"]

Sampler = Literal["tpe", "nsga2", "random"]
Pruner = Literal["none", "median", "halving"]

_MOST_REPEATS: Final = 20  # proposals in a row that were there already, before one is taken all the same
_MOST_REFUSED: Final = 10_000  # proposals in a row that break a constraint


class OptunaSearch(Search):
    """A study that is asked for a batch of trials at a time and told them in order, so that it can be repeated.

    The same seed and the same answers give the same trials, on any executor. Resuming replays the answers that are
    known. Proposals that break a constraint, or that were there already, are told as failed and drawn again.

    Args:
        space: The space.
        objectives: One, or several for a Pareto front.
        trials: How many.
        seed: Seed of the sampler.
        sampler: ``tpe`` (one objective; also several), ``nsga2`` (several objectives), ``random``.
        pruner: ``median`` stops a trial whose windows so far are worse than the median of the others, ``halving`` keeps
            the better half at windows 1, 2, 4, …; for one objective.
        batch: Trials that are asked for together.

    Raises:
        ConfigError: If Optuna is missing, or several objectives are to be pruned.
    """

    def __init__(
        self,
        space: Space,
        objectives: Sequence[Objective],
        trials: int,
        *,
        seed: int = 0,
        sampler: Sampler | None = None,
        pruner: Pruner = "none",
        batch: int = 20,
    ) -> None:
        self._optuna = _import_optuna()
        if pruner != "none" and len(objectives) > 1:
            raise ConfigError(
                "several objectives cannot be pruned; set pruner to 'none'", source="search", path="pruner"
            )
        self._space, self._trials, self._batch, self._pruner = space, trials, batch, pruner
        self._distributions = {path: _distribution(self._optuna, domain) for path, domain in space.domains.items()}
        self._study = self._create(objectives, sampler or ("tpe" if len(objectives) == 1 else "nsga2"), seed)
        self._asked: dict[int, Any] = {}
        self._seen: set[str] = set()
        self._next = 0

    def _create(self, objectives: Sequence[Objective], sampler: Sampler, seed: int) -> Any:
        optuna, seed = self._optuna, seed % 2**32
        samplers = {
            "tpe": lambda: optuna.samplers.TPESampler(seed=seed, multivariate=True, n_startup_trials=2 * self._batch),
            "nsga2": lambda: optuna.samplers.NSGAIISampler(seed=seed, population_size=max(2, self._batch)),
            "random": lambda: optuna.samplers.RandomSampler(seed=seed),
        }
        pruners = {
            "none": optuna.pruners.NopPruner,
            "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=self._batch),
            "halving": lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2),
        }
        verbosity = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return optuna.create_study(
                    directions=[objective.direction for objective in objectives],
                    sampler=samplers[sampler](),
                    pruner=pruners[self._pruner](),
                )
        finally:
            optuna.logging.set_verbosity(verbosity)

    def ask(self, most: int) -> list[Trial]:
        """The next batch; the size does not depend on ``most``, so that it is the same on every machine."""
        del most
        self._asked.clear()
        found = []
        for _ in range(min(self._batch, self._trials - self._next)):
            handle, params = self._propose()
            self._seen.add(params_key(params))
            self._asked[self._next] = handle
            found.append(Trial(self._next, params))
            self._next += 1
        return found

    def _propose(self) -> tuple[Any, Params]:
        repeats = refused = 0
        while True:
            handle = self._study.ask(self._distributions)
            params = {path: _value(domain, handle.params[path]) for path, domain in self._space.domains.items()}
            allowed = self._space.allows(params)
            if allowed and (repeats >= _MOST_REPEATS or params_key(params) not in self._seen):
                return handle, params
            repeats, refused = repeats + allowed, refused + (not allowed)
            if refused >= _MOST_REFUSED:
                raise ConfigError(f"leave none of {_MOST_REFUSED:,} proposals", source="constraints")
            self._study.tell(handle, state=self._optuna.trial.TrialState.FAIL)

    def tell(self, trial: Trial, values: Sequence[float] | None, state: TrialState) -> None:
        """Tells the study."""
        handle, states = self._asked[trial.number], self._optuna.trial.TrialState
        if state is TrialState.PRUNED:
            self._study.tell(handle, state=states.PRUNED)
        elif values is None:
            self._study.tell(handle, state=states.FAIL)
        else:
            self._study.tell(handle, list(values))

    def prune(self, trial: Trial, step: int, value: float) -> bool:
        """Reports the value of the windows so far to the pruner."""
        handle = self._asked[trial.number]
        handle.report(value, step + 1)
        return bool(handle.should_prune())

    @property
    def prunes(self) -> bool:
        """Whether there is a pruner."""
        return self._pruner != "none"

    @property
    def total(self) -> int:
        """Trials in all."""
        return self._trials


def _import_optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        raise ConfigError(
            f"cannot import optuna ({error}); install it (pip install 'finiex-ray[sweep]'), or search by grid or at random",
            source="search",
        ) from error
    return optuna


def _distribution(optuna: Any, domain: Domain) -> Any:
    distributions = optuna.distributions
    if isinstance(domain, Choice):
        # Numbers on a scale are searched as a scale; everything else has no order.
        places = len(domain.values)
        return (
            distributions.IntDistribution(0, places - 1)
            if domain.ordered
            else distributions.CategoricalDistribution(list(range(places)))
        )
    if isinstance(domain, Integers):
        high = domain.low + (domain.high - domain.low) // domain.step * domain.step
        return distributions.IntDistribution(domain.low, high, log=domain.log, step=domain.step)
    high_value = domain.high if domain.step is None else domain.grid()[-1]
    return distributions.FloatDistribution(domain.low, high_value, log=domain.log, step=domain.step)


def _value(domain: Domain, found: Any) -> Any:
    return domain.values[found] if isinstance(domain, Choice) else found
