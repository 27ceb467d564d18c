package policy

import "strings"

// The forms of texts, as regular expressions that RE2 and ECMA 262 read alike.
const (
	accountForm  = `^(github|gitlab):[1-9][0-9]{0,18}$`
	aliasForm    = `^((github|gitlab):[1-9][0-9]{0,18}|jira:[A-Za-z0-9][A-Za-z0-9:_-]{0,127})$`
	durationForm = `^\+?(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+$`
	fewBraces    = `^[^{]*(\{[^{]*){0,4}$` // maxGroups
	aPath        = `^/?[^/]([\s\S]*[^/])?/?$`
)

// text is the schema of a text. It counts characters where Parse counts bytes, of
// which there are never fewer.
func text() schema { return schema{"type": "string", "minLength": 1, "maxLength": maxScalar} }

// word is the schema of a role or a check's class.
func word() schema { return schema{"type": "string", "pattern": wordForm.String()} }

// pattern is the schema of a doublestar pattern.
func pattern() schema {
	return schema{"type": "string", "minLength": 1, "maxLength": maxPattern, "pattern": fewBraces}
}

// app is the schema of an application: its slug or its numeric id.
func app() schema {
	id := schema{"type": "integer", "minimum": 1, "maximum": maxAppID}
	return schema{"anyOf": []schema{text(), id}}
}

// workflow is the schema of the path of a workflow file.
func workflow() schema {
	s := text()
	s["pattern"] = workflowForm.String()
	return s
}

// className is the schema of a class's name, which is not that of every other change.
func className() schema {
	s := word()
	s["not"] = schema{"const": NormalClass}
	return s
}

// author is the schema of an account that makes changes.
func author() schema {
	return schema{"type": "string", "pattern": "^(" + userPrefix + ")?" + strings.TrimPrefix(accountForm, "^")}
}

// accountable is the schema of who answers for an automation.
func accountable() schema {
	return schema{"type": "string", "anyOf": []schema{{"pattern": accountForm}, {"const": Starter}}}
}

// pathSchema is the schema of a pattern of paths.
func pathSchema() schema {
	s := pattern()
	s["allOf"] = []schema{{"pattern": aPath}}
	return s
}

// selectorSchema is the schema of one way to hold a role.
func selectorSchema() schema {
	var granted []string
	for _, p := range permissions() {
		granted = append(granted, "permission:"+p)
	}
	return schema{"type": "string", "anyOf": []schema{
		{"pattern": "^team:" + strings.TrimPrefix(teamForm.String(), "^")},
		{"pattern": "^" + userPrefix + strings.TrimPrefix(accountForm, "^")},
		{"enum": granted},
	}}
}
