# make demo, make test and the rest; every target that builds sets up the machine first.

.PHONY: demo test test-seeds build install reference lint benchmark check-exports check-betti clean

PREFIX ?= /usr/local
release = .build/release/sheaf

# With the Swift runtime inside, so that the command runs where no toolchain is.
build:
	@Scripts/bootstrap
	swift build -c release --product sheaf --static-swift-stdlib

demo: build
	$(release) demo --out demo

# Prints failures and a summary. Warnings are errors.
test:
	@Scripts/bootstrap
	@Scripts/test

# The property tests under three fresh seeds, or under those in SEEDS.
test-seeds:
	@Scripts/bootstrap
	@Scripts/test-seeds $(SEEDS)

# The command, its man page and its completions under PREFIX, or DESTDIR/PREFIX for a package.
install: build
	Scripts/install $(release) "$(DESTDIR)$(PREFIX)"

# The options in Docs/Reference.md, from the command.
reference: build
	Scripts/update-reference $(release)

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

benchmark:
	@Scripts/bootstrap
	swift run -c release --package-path Benchmarks benchmarks

# Our ONNX and safetensors files through ONNX Runtime and PyTorch's packages, from PyPI.
check-exports:
	@Scripts/bootstrap
	Scripts/check-exports

# Betti numbers of random simplicial complexes against GUDHI's, from PyPI.
check-betti:
	@Scripts/bootstrap
	Scripts/check-betti

clean:
	rm -rf .build Benchmarks/.build demo
