FROM python:3.12-slim
# The same MLflow as requirements.lock, so that client and server agree on the schema.
RUN pip install --no-cache-dir "mlflow==3.17.2" "psycopg[binary]>=3.2" "boto3>=1.40" "flask-wtf>=1.2" \
 && useradd --create-home mlflow && mkdir /auth && chown mlflow /auth
COPY --chmod=755 mlflow-entry.sh /usr/local/bin/
USER mlflow
ENTRYPOINT ["mlflow-entry.sh"]
