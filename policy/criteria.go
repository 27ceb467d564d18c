package policy

// The frameworks whose criteria a result can evidence.
const (
	soc2  = "soc2"        // AICPA Trust Services Criteria, 2017 with the 2022 points of focus
	iso   = "iso27001"    // ISO/IEC 27001:2022 Annex A
	pci   = "pci-dss"     // PCI DSS v4.0.1
	nist  = "nist-800-53" // NIST SP 800-53 Rev. 5
	ssdf  = "ssdf"        // NIST SP 800-218 v1.1
	euDRA = "dora"        // Regulation (EU) 2022/2554 (DORA) and Delegated Regulation (EU) 2024/1774 (RTS)
)

// criteria returns which criteria of each framework a control evidences. The map
// is the caller's.
func criteria(control string) map[string][]string {
	switch control {
	case PeerReviewID:
		return map[string][]string{
			soc2:  {"CC5.3", "CC8.1"},
			iso:   {"A.8.25", "A.8.28", "A.8.32"},
			pci:   {"6.2.3", "6.2.3.1"},
			nist:  {"CM-3", "SA-11(4)"},
			ssdf:  {"PW.7.1", "PW.7.2"},
			euDRA: {"RTS 16(3)"},
		}
	case CodeOwnersID:
		return map[string][]string{
			soc2:  {"CC5.3", "CC8.1"},
			iso:   {"A.8.25", "A.8.28", "A.8.32", "A.8.4"},
			pci:   {"6.2.3", "6.2.3.1"},
			nist:  {"CM-3", "SA-11(4)"},
			ssdf:  {"PW.7.1", "PW.7.2"},
			euDRA: {"RTS 16(3)", "RTS 16(7)"},
		}
	case SignedCommitsID: // who made it, by more than a name that anybody can write
		return map[string][]string{
			soc2:  {"CC6.1", "CC8.1"},
			iso:   {"A.8.4"},
			pci:   {"6.2.3.1", "6.5.4"},
			nist:  {"AU-10", "AU-10(1)", "CM-14"},
			ssdf:  {"PS.1.1", "PS.2.1"},
			euDRA: {"RTS 16(7)", "RTS 21(c)"},
		}
	case SegregationID:
		return map[string][]string{
			soc2:  {"CC5.1", "CC6.3", "CC8.1"},
			iso:   {"A.5.3"},
			pci:   {"6.2.3.1", "6.5.4"},
			nist:  {"AC-3(2)", "AC-5", "CM-5(4)"},
			ssdf:  {"PO.2.1"},
			euDRA: {"RTS 17(1)(b)", "RTS 21(b)"},
		}
	case RequiredChecksID:
		return map[string][]string{
			soc2:  {"CC8.1"},
			iso:   {"A.8.25", "A.8.29"},
			pci:   {"6.2.4", "6.5.1"},
			nist:  {"CM-3(2)", "CM-4(1)", "SA-11"},
			ssdf:  {"PO.4.1", "PW.8"},
			euDRA: {"RTS 16(2)", "RTS 16(3)", "RTS 17(1)(a)", "RTS 17(1)(c)(iii)"},
		}
	case LinkedRequestID:
		return map[string][]string{
			soc2:  {"CC8.1"},
			iso:   {"A.8.32"},
			pci:   {"6.5.1"},
			nist:  {"CM-3"},
			ssdf:  {"PW.1.2"},
			euDRA: {"DORA 9(4)(e)", "RTS 17(1)(c)(i)", "RTS 17(1)(d)"},
		}
	case AssertionsID: // what is asserted is the policy's own; that a change is held to it is change control
		return map[string][]string{
			soc2:  {"CC8.1"},
			iso:   {"A.8.32"},
			pci:   {"6.5.1"},
			nist:  {"CM-3"},
			ssdf:  {"PO.4.1"},
			euDRA: {"DORA 9(4)(e)"},
		}
	case ProtectedPathsID, NoBypassID: // the gate cannot be edited by the change it judges, nor gone around
		return map[string][]string{
			soc2:  {"CC7.1", "CC8.1"},
			iso:   {"A.8.31", "A.8.4"},
			pci:   {"6.5.4"},
			nist:  {"CM-3(8)", "CM-5(1)", "SA-15"},
			ssdf:  {"PO.3.2", "PO.5.1"},
			euDRA: {"RTS 16(1)(c)", "RTS 16(7)"},
		}
	}
	return nil
}
