"""MLflow on SQLite."""

from __future__ import annotations

import time
from typing import Any

from bench.peers.tracker import Tracker
from bench.runs import many, rows


class MlflowSqlite(Tracker):
    """The fluent API, synchronous as it is by default; many runs by `log_batch`."""

    venv = "mlflow"
    packages = ("mlflow==3.17.2",)
    note = "sqlite backend, synchronous log_metrics (the default)"

    def env(self, root: str) -> dict[str, str]:
        return {
            "MLFLOW_TRACKING_URI": self._uri(root),
            "MLFLOW_ENABLE_ASYNC_LOGGING": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
        }

    def _uri(self, root: str) -> str:
        return f"sqlite:///{root}/mlflow.db"

    def start(self, root: str, name: str, params: dict[str, Any]) -> None:
        import mlflow

        self.mlflow = mlflow
        mlflow.set_experiment("bench")
        mlflow.start_run(run_name=name)
        if params:
            mlflow.log_params(params)

    def log(self, metrics: dict[str, float], step: int) -> None:
        self.mlflow.log_metrics(metrics, step=step)

    def finish(self) -> None:
        self.mlflow.end_run()

    def make_one(self, root: str, values: list[float]) -> bool:
        from mlflow.entities import Metric
        from mlflow.tracking import MlflowClient

        client = MlflowClient()
        run = client.create_run(client.create_experiment("bench"))
        now = int(time.time() * 1000)
        for begin in range(0, len(values), 1000):
            part = enumerate(values[begin : begin + 1000], begin)
            client.log_batch(run.info.run_id, metrics=[Metric("m0", value, now, step) for step, value in part])
        client.set_terminated(run.info.run_id)
        return True

    def make_many(self, root: str, runs: int) -> None:
        from mlflow.entities import Metric, Param
        from mlflow.tracking import MlflowClient

        client = MlflowClient()
        experiment = client.create_experiment("bench")
        for name, params, columns in many(runs):
            run = client.create_run(experiment, run_name=name)
            now = int(time.time() * 1000)
            metrics = [Metric(k, v, now, step) for step, row in enumerate(rows(columns)) for k, v in row.items()]
            client.log_batch(run.info.run_id, metrics=metrics, params=[Param(k, str(v)) for k, v in params.items()])
            client.set_terminated(run.info.run_id)

    def open(self, root: str) -> None:
        from mlflow.tracking import MlflowClient

        self.client = MlflowClient()
        found = self.client.get_experiment_by_name("bench")
        self.experiments = [found.experiment_id] if found else []

    def _runs(self, **how: Any) -> Any:
        return self.client.search_runs(self.experiments, **{"max_results": 5000, **how})

    def read(self, root: str, metric: str) -> int:
        histories = [self.client.get_metric_history(run.info.run_id, metric) for run in self._runs()]
        return sum(len([(point.step, point.value) for point in history]) for history in histories)

    def search(self, root: str) -> int:
        return len(self._runs(filter_string="params.p0 = 'a'", order_by=["metrics.m0 DESC"]))

    def best(self, root: str) -> float:
        return float(self._runs(order_by=["metrics.m0 DESC"], max_results=1)[0].data.metrics["m0"])
