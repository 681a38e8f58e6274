"""The customer archive (客户档案): customer, premises, supply point, account."""
