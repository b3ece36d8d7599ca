# `make` alone lists what there is. Every target prepares what it needs; nothing has to be installed by hand first.
.DEFAULT_GOAL := help
.PHONY: help setup demo up test simulate chaos cluster compose bench lint format contracts lock clean

BIN := .venv/bin
PACKAGES := shared services/pledge services/evaluation
# How many processes run the tests: make test JOBS=4
JOBS ?= 2
# How many simulations: make simulate SEEDS=100
SEEDS ?= 1000

help: ## 列出所有命令 | List the targets
	@awk -F ' *## *| *[|] *' '/^[a-z-]+:.*## / { sub(/:.*/, "", $$1); printf "  make %-9s %s / %s\n", $$1, $$2, $$3 }' $(MAKEFILE_LIST)

setup: ## 准备运行环境 .venv | Prepare the environment in .venv
	@.ci/setup

demo: setup ## 运行演示 | Play the demonstration
	@$(BIN)/avow demo

up: setup ## 在本机启动两个服务 | Start both services on this machine
	@$(BIN)/avow up

test: lint ## 检查并运行全部测试 | Run the checks, then every test
	@.ci/postgres
	@.ci/rabbitmq
	$(BIN)/pytest -n $(JOBS)

simulate: setup ## 在虚拟时间里反复模拟故障 | Simulate faults on virtual time: SEEDS=1000
	$(BIN)/python -m tests.simulation --bugs
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

chaos: setup ## 随机杀进程、断网、毁队列并对账 | Kill and cut off at random, and hold to account; CHAOS="--seed 2" for another
	@.ci/postgres
	@.ci/rabbitmq
	$(BIN)/python -m tests.chaos $(CHAOS)

cluster: setup ## 在三节点 RabbitMQ 集群上测试 | Test on a RabbitMQ cluster of three, whose nodes are killed
	@.ci/rabbitmq
	$(BIN)/pytest -m cluster

compose: ## 用 Docker 构建、启动、破坏并核验整套部署 | Try docker-compose.yml under Docker; COMPOSE="docker-compose" for another
	@COMPOSE="$(or $(COMPOSE),docker compose)" python3 -m tests.compose $(if $(KEEP),--keep)

bench: setup ## 与同类实现对比测速 | Measure beside the peers; BENCH="--sizes 10000" for less
	@.ci/postgres
	@.ci/rabbitmq
	@.ci/uv pip install --quiet --require-hashes --python .venv/bin/python -r benchmarks/requirements.lock.txt
	$(BIN)/python -m benchmarks $(BENCH)

lint: setup ## 检查风格、类型与依赖方向 | Check style, types and import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: setup ## 统一代码格式 | Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: setup ## 写出事件的契约与范例 | Write the schemas and golden files of the events
	@$(BIN)/python -m tests.kit.write_contracts

lock: setup ## 更新依赖锁定文件 | Lock the dependencies; UPGRADE=1 moves to newer versions
	.ci/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --all-extras --group dev \
		--no-emit-package avow --no-emit-package avow-pledge --no-emit-package avow-evaluation \
		--output-file requirements.lock.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	.ci/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --all-extras --constraint requirements.lock.txt \
		--no-emit-package avow --no-emit-package avow-pledge --no-emit-package avow-evaluation \
		--output-file deploy/requirements.lock.txt $(addsuffix /pyproject.toml,$(PACKAGES))
	.ci/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --constraint requirements.lock.txt --group image \
		--output-file deploy/build.lock.txt
	.ci/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate --constraint requirements.lock.txt --group bench \
		--output-file benchmarks/requirements.lock.txt

clean: ## 删除运行环境、数据与缓存 | Remove the environment, data and caches
	rm -rf .venv var .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .grimp_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
