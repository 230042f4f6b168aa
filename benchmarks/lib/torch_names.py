"""Names of attentions in the library -> classes in `torch_attention`."""

NAMES: dict[str, str] = {
    "a2": "A2", "aa": "AA", "anas": "ANAS", "bam": "BAM", "bat": "BAT", "bot": "BoT", "cam": "CAM", "cbam": "CBAM",
    "ceca": "CECA", "cha_atac": "ChaATAC", "coord": "Coord", "cot": "CoT", "danet": "DANet", "dia": "DIA", "eca": "ECA",
    "eca_mlp": "ECAMLP", "eca_ns": "ECANS", "ese": "ESE", "external": "External", "fa": "FA", "fca": "FCA", "gc": "GC",
    "gca": "GCA", "gct": "GCT", "ge_theta": "GETheta", "ge_theta_minus": "GEThetaMinus", "ge_theta_plus": "GEThetaPlus",
    "grn": "GRN", "halo": "Halo", "lambda": "Lambda", "light_cbam": "LightCBAM", "nonlocal": "NonLocal", "pam": "PAM",
    "polarized_parallel": "PolarizedParallel", "polarized_sequential": "PolarizedSequential", "psa": "PSA",
    "scse": "SCSE", "se": "SE", "seq_atac": "SeqATAC", "sge": "SGE", "shuffle": "Shuffle", "simam": "SimAM",
    "sk": "SK", "spa_atac": "SpaATAC", "split": "Split", "srm": "SRM", "triplet": "Triplet",
}  # fmt: skip
