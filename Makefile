# make demo, make test and the rest; every target sets up the machine first.

.PHONY: demo test build lint benchmark check-exports clean

build:
	@Scripts/bootstrap
	swift build -c release --product sheaf

demo: build
	.build/release/sheaf demo --out demo

# Release with testing enabled, in a folder of its own so that demo and test do not rebuild each
# other. Warnings are errors.
test:
	@Scripts/bootstrap
	swift test -c release -Xswiftc -enable-testing --scratch-path .build/test

lint:
	swift format lint --strict --recursive Package.swift Sources Tests Benchmarks/Package.swift Benchmarks/Sources

benchmark:
	@Scripts/bootstrap
	swift run -c release --package-path Benchmarks benchmarks

# Our ONNX and safetensors files through ONNX Runtime and PyTorch's packages, from PyPI.
check-exports:
	@Scripts/bootstrap
	Scripts/check-exports

clean:
	rm -rf .build Benchmarks/.build demo
