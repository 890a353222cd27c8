package infra

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

const sdk = "github.com/aws/aws-sdk-go-v2/service/"

// Calls returns the actions that the binary of the module in dir can call on
// AWS, as IAM names them: kinesis:GetRecords. A call is an SDK method that is
// given an …Input of that name, so every Input made in a file linked into the
// binary counts, and test helpers do not.
func Calls(dir string) (map[string]bool, error) {
	files, err := linkedFiles(dir)
	if err != nil {
		return nil, err
	}
	calls := map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, fmt.Errorf("parse %s: %w", file, err)
		}
		addCalls(parsed, calls)
	}
	return calls, nil
}

func addCalls(file *ast.File, calls map[string]bool) {
	services := sdkImports(file)
	ast.Inspect(file, func(n ast.Node) bool {
		literal, ok := n.(*ast.CompositeLit)
		if !ok {
			return true
		}
		selector, ok := literal.Type.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		pkg, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		operation, isInput := strings.CutSuffix(selector.Sel.Name, "Input")
		if service := services[pkg.Name]; service != "" && isInput {
			calls[service+":"+operation] = true
		}
		return true
	})
}

// sdkImports maps the name a file gives to an SDK client package to its service.
func sdkImports(file *ast.File) map[string]string {
	services := map[string]string{}
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		service, isSDK := strings.CutPrefix(path, sdk)
		if err != nil || !isSDK || strings.Contains(service, "/") {
			continue
		}
		name := service
		if spec.Name != nil {
			name = spec.Name.Name
		}
		services[name] = service
	}
	return services
}

// linkedFiles lists the module's own files that its binary is built from.
func linkedFiles(dir string) ([]string, error) {
	const format = `{{if .Module}}{{if .Module.Main}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}`
	cmd := exec.Command("go", "list", "-deps", "-f", format, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list files of %s: %w: %s", dir, err, problems.String())
	}
	return strings.Fields(string(out)), nil
}
