package github

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v60/github"

	"github.com/countersign-dev/countersign/change"
)

// checkAnswer is what GitHub says of a check run after a write.
type checkAnswer struct {
	ID         int64  `json:"id"`
	Status     string `json:"status"`
	Conclusion string `json:"conclusion"`
}

// Report shows a decision as the check run of this application on the commit. A
// run that stands there already is changed in place, so that one change costs
// one run; a run that says the same already is left alone.
func (f *Forge) Report(ctx context.Context, r change.Report) error {
	if !r.Commit.Valid() {
		return fmt.Errorf("reporting on %s: no commit to show it on", r.Ref)
	}
	v := f.verdict(r)
	digest := v.digest()
	shown, _ := r.Shown.Get()
	if shown.Commit != r.Commit {
		shown = change.Shown{}
	}
	if said, known := f.texts.Get(shown.ID); known && said == digest && v.stands(shown) {
		return nil
	}
	a, err := f.installation(ctx, r.Ref.Repository)
	if err != nil {
		return err
	}
	answer, err := f.show(ctx, a, r, v, shown.ID)
	if err != nil {
		return fmt.Errorf("showing the verdict on %s: %w", r.Ref, err)
	}
	f.texts.Add(answer.ID, digest)
	return nil
}

// show writes the check run and reads in the answer that it stands as written.
// When a run that was there cannot be brought to say it, a new one takes its
// place: of several with one name, GitHub counts the newest.
func (f *Forge) show(ctx context.Context, a *api, r change.Report, v verdict, id int64) (checkAnswer, error) {
	var answer checkAnswer
	path := "repos/" + r.Ref.Repository.Name + "/check-runs"
	if id > 0 {
		_, err := a.do(ctx, http.MethodPatch, fmt.Sprintf("%s/%d", path, id), f.update(v), &answer)
		switch {
		case err == nil && v.is(answer):
			return answer, nil
		case err != nil && !refused(err):
			return answer, err
		}
		f.config.Log.WarnContext(ctx, "check run cannot be changed, showing a new one", "change", r.Ref.String(), "run", id, "err", err)
		answer = checkAnswer{}
	}
	if _, err := a.do(ctx, http.MethodPost, path, f.create(v, r.Commit), &answer); err != nil {
		return answer, err
	}
	if !v.is(answer) {
		return answer, fmt.Errorf("GitHub shows %s %s instead of %s %s", answer.Status, answer.Conclusion, v.status, v.conclusion)
	}
	return answer, nil
}

func (v verdict) is(a checkAnswer) bool {
	return a.ID > 0 && a.Status == v.status && a.Conclusion == v.conclusion
}

// stands reports whether the run shows the verdict already. What its text says
// is known from the digest of the last write.
func (v verdict) stands(s change.Shown) bool {
	return s.ID > 0 && s.Status == v.status && s.Conclusion == v.conclusion && s.Title == v.title && s.ExternalID == v.externalID
}

func (v verdict) digest() [32]byte {
	return sha256.Sum256([]byte(v.status + "\x00" + v.conclusion + "\x00" + v.title + "\x00" + v.summary + "\x00" + v.text))
}

func (f *Forge) create(v verdict, commit change.SHA) gh.CreateCheckRunOptions {
	o := gh.CreateCheckRunOptions{
		Name: f.config.CheckName, HeadSHA: string(commit), DetailsURL: optional(f.config.DetailsURL),
		ExternalID: &v.externalID, Status: &v.status, Output: v.output(v.annotations), Actions: buttons(),
	}
	o.Conclusion = v.completion()
	return o
}

// update leaves the annotations alone: GitHub would add them to those of before.
func (f *Forge) update(v verdict) gh.UpdateCheckRunOptions {
	o := gh.UpdateCheckRunOptions{
		Name: f.config.CheckName, DetailsURL: optional(f.config.DetailsURL),
		ExternalID: &v.externalID, Status: &v.status, Output: v.output(nil), Actions: buttons(),
	}
	o.Conclusion = v.completion()
	return o
}

// completion returns the conclusion of a completed verdict. The time of it is left
// to GitHub, whose clock is the one that everything else there is dated by.
func (v verdict) completion() *string {
	if v.status != "completed" {
		return nil
	}
	return &v.conclusion
}

func (v verdict) output(notes []*gh.CheckRunAnnotation) *gh.CheckRunOutput {
	return &gh.CheckRunOutput{Title: &v.title, Summary: &v.summary, Text: optional(v.text), Annotations: notes}
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// buttons returns the one button of the check run; pressing it brings a
// check_run delivery with the action requested_action.
func buttons() []*gh.CheckRunAction {
	return []*gh.CheckRunAction{{Label: "Re-evaluate", Description: "Gather the facts and judge them again.", Identifier: Reevaluate}}
}
