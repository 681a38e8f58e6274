"""Applications (业务申请): what customers have asked for, step by step through the departments."""
