# What this project can do from the command line; `make` alone explains the targets.
# Tools are called as `python -m …`, so the folder may be moved after `make install`.

PYTHON ?= python3
PORT ?= 8000
ARGS ?=
export PYTHON

py := .venv/bin/python
serving := .venv/serving-$(PORT)
compile := $(py) -m uv pip compile --quiet --no-config --universal --python-version 3.11 --generate-hashes --no-header \
	--find-links tools/vendor/jstyleson@0.0.2

babel := $(py) -m babel.messages.frontend

.DEFAULT_GOAL := help
.PHONY: help install run test quick long lint bench chaos texts lock sbom FORCE

help: ## Explain the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: ## Make .venv with everything, development tools too
	@tools/setup requirements-dev.txt

run: $(serving) ## Serve on 127.0.0.1:8000, or on $PORT (installs what is missing)

# A file and not a phony target: make deletes the file it is making when it is told to stop, and that tells the
# server, for unlike SIGTERM make does not pass SIGINT on. What Ctrl-C sends to everyone is left to make: Python would
# answer with a traceback.
$(serving): export PORT := $(PORT)
$(serving): FORCE
	@tools/setup requirements.txt
	@touch $@
	@$(py) -m flask init & trap "kill $$!" INT TERM; wait $$!
	@trap "" INT; exec $(py) -m campaign serve --with-make $@

test: ## Run the tests (ARGS='-k export' picks some)
	@tools/setup requirements-dev.txt
	@tools/test-services
	@$(py) -m pytest -n 2 $(ARGS)

quick: ## Run the fast tests on SQLite: no browser, office program or film encoder (under 90 s)
	@tools/setup requirements-dev.txt
	@$(py) -m pytest -n 2 -m 'not chaos and not long and not browser and not slow' -k 'not postgresql' $(ARGS)

long: ## Run the rest of the large matrices (all languages, engines and databases) and build the container image (CI does)
	@tools/setup requirements-dev.txt
	@tools/test-services buildah mmdebstrap podman runc
	@$(py) -m pytest -n 2 -m long $(ARGS)

lint: ## Check style, types, imports, spelling, templates, JavaScript and CSS
	@tools/setup requirements-dev.txt
	@tools/npm-packages lint
	@$(py) -m ruff check .
	@$(py) -m ruff format --check .
	@$(py) -m mypy --strict campaign
	@$(py) -m mypy tests tools benchmarks
	@.venv/bin/lint-imports
	@$(py) -m codespell_lib
	@$(py) -m djlint templates --check --lint
	@.venv/lint/node_modules/.bin/biome lint --error-on-warnings

bench: ## Measure what users wait for (ONLY='pages sign' picks some; ARGS=1000000 for as many signatures)
	@tools/setup requirements-dev.txt
	@tools/test-services
	@$(py) -m benchmarks $(ONLY)
ifndef ONLY
	@$(py) -m benchmarks.run $(ARGS)
	@$(py) -m benchmarks.download
	@$(py) -m benchmarks.delivery
	@$(py) -m benchmarks.overview
	@$(py) -m benchmarks.timing
	@$(py) -m benchmarks.film_import
	@$(py) -m benchmarks.lighthouse
endif

chaos: ## Pull the plug under load, again and again
	@tools/setup requirements-dev.txt
	@tools/test-services buildah etcd-server mmdebstrap pgbackrest podman runc
	@$(py) -m pytest -m chaos $(ARGS)

texts: ## Bring campaign/translations up to date with the texts in code and templates (new ones stand there empty)
	@tools/setup requirements-dev.txt
	@$(babel) extract --mapping-file pyproject.toml --project love-always-wins --version 1 --copyright-holder "the campaign" \
		--add-location file --sort-output --width 120 --output-file .venv/texts.pot . 2>/dev/null
	@for language in ru fr es pt de it nl ar; do \
		$(babel) update --init-missing --ignore-pot-creation-date --no-fuzzy-matching --ignore-obsolete --width 120 \
			--locale $$language --input-file .venv/texts.pot --output-file campaign/translations/$$language.po 2>/dev/null \
			|| exit 1; \
		sed -i '/EMAIL@ADDRESS\|FULL NAME\|LL@li.org\|-Date:\|Generated-By/d' campaign/translations/$$language.po; \
	done

lock: ## Pin dependencies in the requirements files from pyproject.toml (ARGS=--upgrade for newer versions)
	@tools/setup requirements-dev.txt
	@$(compile) pyproject.toml $(ARGS) -o requirements.txt
	@$(compile) --group dev -c requirements.txt $(ARGS) -o requirements-dev.txt \
		$$(sed -n '/ ; /!s/^\([a-z0-9._-]*\).*==.*/--no-emit-package \1/p' requirements.txt)
	@sed -i '1i -r requirements.txt' requirements-dev.txt
	@$(compile) --group services --no-deps $(ARGS) -o requirements-services.txt

sbom: ## Write sbom.cdx.json, a software bill of materials (CycloneDX) of what a server installs
	@tools/setup requirements-dev.txt
	@$(py) -m uv venv --quiet --no-config --clear .venv/sbom
	@$(py) -m uv pip sync --quiet --no-config --python .venv/sbom --require-hashes \
		--find-links tools/vendor/jstyleson@0.0.2 requirements.txt
	@$(py) -m cyclonedx_py environment .venv/sbom --pyproject pyproject.toml --output-reproducible -o sbom.cdx.json
