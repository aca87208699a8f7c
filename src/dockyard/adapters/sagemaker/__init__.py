"""The SageMaker target: an AWS account behind the ports of `dockyard.ports_sagemaker`.

    session.py, errors.py          clients of an account and region, and what their errors mean here
    account.py                     the port SageMakerAccount: the look at all of it
    endpoints.py, revisions.py, repositories.py, supplies.py
                                   the ports of those names; requests.py has what they send, tags.py leads back from it
    scorer.py                      invoking an endpoint as its clients do
    preflight.py                   the port Preflight: what can be known before anything is made
      validation.py, rules.py      requests against the service's model, and the rules that the model lacks
      look_at_role.py, …places.py  one look at one thing of the account each; looks.py says what a look is
      prices.py, cost.py           the price table; price_list.py fetches a newer one
    policies/                      the least-privilege policies as JSON, and filling them in

boto3 and botocore are imported inside functions only: `--help` must not pay for them.
"""
